"""Reading houses, days and times over a real socket: how often, how long, and what is shown."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from datetime import time as clock
from json import loads
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import caches
from django.db import connections

from booking import availability, models
from booking.availability import DayState, Flats, ReadyHouse, cache, days
from booking.crm import CRMClient, CRMError, CRMUnavailable
from standin import StandIn
from standin.fixtures import Flat as BuiltFlat
from standin.fixtures import House as BuiltHouse

URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE_ID = "3105011"
HOUSE = ReadyHouse(HOUSE_ID, "", Flats(), URAL)
LONG = 3600.0


@pytest.fixture
def fresh_for_long(monkeypatch):
    """However slow the machine, nothing gets stale by itself."""
    for name in ("OPENED_FRESH_FOR", "OPENED_SHOWN_FOR", "OTHERS_FRESH_FOR", "KEPT_FOR"):
        monkeypatch.setattr(days, name, LONG)
    monkeypatch.setattr(cache, "FAILURE_FRESH_FOR", LONG)


@pytest.fixture
def always_stale(monkeypatch):
    """Whatever is remembered should be asked for again at once."""
    for name in ("OPENED_FRESH_FOR", "OTHERS_FRESH_FOR"):
        monkeypatch.setattr(days, name, 0)
    for name in ("OPENED_SHOWN_FOR", "KEPT_FOR"):
        monkeypatch.setattr(days, name, LONG)


@pytest.fixture
def patient(monkeypatch):
    """A page waits for its days until they are there."""
    monkeypatch.setattr(days, "PAGE_BUDGET", 30)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(days, "PAGE_BUDGET", 0.05)


def all_days(house: ReadyHouse, chosen=None):
    return availability.days_page(house, chosen).days


def a_day(ahead: int = 1):
    return availability.horizon(URAL)[ahead]


def key_of(day) -> str:
    return days.key_of(HOUSE_ID, day)


def first_start_of(day):
    return datetime.combine(day, clock(9), URAL)


def entry_of(day) -> cache.Entry:
    cache.forget_recent()
    entry = cache.known([key_of(day)])[key_of(day)]
    assert entry
    return entry


def listed(house_id: str = HOUSE_ID) -> ReadyHouse:
    house = availability.ready_houses("flat").house(house_id)
    assert house
    return house


def wait_until(what, timeout: float = 10):
    give_up = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < give_up, "it does not come"
        time.sleep(0.01)


def go_on(monkeypatch, seconds: float) -> None:
    """Let time pass. What the process has read in this second is not to be reused any more."""
    later = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: later)
    cache.forget_recent()


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Every key that is read from the shared cache, in order."""
    keys: list[str] = []
    shared = caches["default"]
    get_many = shared.get_many

    def noted(wanted, *version):
        keys.extend(wanted)
        return get_many(wanted, *version)

    monkeypatch.setattr(shared, "get_many", noted)
    return keys


def fail_until_the_crm_is_out(standin: StandIn, monkeypatch) -> None:
    """By looks at another house, each waited for."""
    monkeypatch.setattr(days, "PAGE_BUDGET", 30)
    standin.fail("getFreeTimes", "status")
    elsewhere = ReadyHouse("another", "", Flats(), URAL)
    for day in availability.horizon(URAL)[: cache.OUTAGE_AFTER]:
        availability.day(elsewhere, day)


# How often the CRM is asked


@pytest.mark.django_db(transaction=True)
def test_a_thousand_buyers_cost_one_list_and_one_call_for_each_day(
    standin, fresh_for_long, patient
):
    def visit(_buyer: int) -> int:
        try:
            return sum(len(day.starts) for day in all_days(listed()))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as buyers:
        seen = set(buyers.map(visit, range(1000)))

    assert len(seen) == 1
    assert seen != {0}
    assert standin.count("getFreeTimes") == 14
    assert standin.count("getReadyFlats") == 1


def test_threads_that_want_the_same_wait_for_one_call(standin, fresh_for_long, patient):
    standin.switch(latency=0.2)
    together = Barrier(8)

    def visit(_buyer: int) -> DayState:
        together.wait()
        return availability.day(HOUSE, a_day()).state

    with ThreadPoolExecutor(8) as buyers:
        states = list(buyers.map(visit, range(8)))

    assert states == [DayState.FREE] * 8
    assert standin.count("getFreeTimes") == 1


def test_days_are_asked_side_by_side_but_no_more_than_allowed(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 3
    standin.fail("getFreeTimes", "hang")

    all_days(HOUSE)
    standin.wait_for("getFreeTimes", count=3)
    all_days(HOUSE)

    assert standin.count("getFreeTimes") == 3


def test_the_most_urgent_goes_first(standin, settings, monkeypatch):
    settings.MACROCRM_CONCURRENCY = 1
    standin.switch(latency=0.2)
    monkeypatch.setattr(days, "PAGE_BUDGET", 30)
    other = ReadyHouse("another", "", Flats(), URAL)
    page = Thread(target=all_days, args=(other,))
    page.start()
    standin.wait_for("getFreeTimes", count=2)

    availability.day(HOUSE, a_day())

    # What was under way, and this one.
    assert standin.count("getFreeTimes") <= 4
    page.join()


# Fresh, stale, dropped


def test_a_stale_day_is_shown_while_one_caller_asks_again(standin, always_stale, patient):
    first = availability.day(HOUSE, a_day())
    standin.fail("getFreeTimes", "hang")

    again = [availability.day(HOUSE, a_day()) for _buyer in range(20)]
    standin.wait_for("getFreeTimes", count=2)

    assert first.state is DayState.FREE
    assert again == [first] * 20
    assert standin.count("getFreeTimes") == 2


def test_a_stale_day_is_soon_the_new_one(standin, always_stale, patient):
    lost = availability.day(HOUSE, a_day()).starts[3]
    standin.hand_to_a_rival(HOUSE_ID, lost)

    wait_until(lambda: lost not in availability.day(HOUSE, a_day()).starts)


def test_a_failed_refresh_keeps_what_is_known(standin, always_stale, patient):
    first = availability.day(HOUSE, a_day())
    standin.fail("getFreeTimes", "status")
    availability.day(HOUSE, a_day())
    wait_until(lambda: entry_of(a_day()).retry_at)
    asked = standin.count("getFreeTimes")

    again = availability.day(HOUSE, a_day())

    assert again == first
    assert again.state is not DayState.UNKNOWN
    assert standin.count("getFreeTimes") == asked


def test_what_was_read_together_does_not_get_stale_together(standin, patient):
    all_days(HOUSE)

    shares = {round(entry_of(day).share, 3) for day in availability.horizon(URAL)}

    assert len(shares) > 1
    assert all(0.8 <= share <= 1 for share in shares)


def test_the_opened_day_is_asked_for_again_sooner_than_the_others(standin, patient, monkeypatch):
    page = all_days(HOUSE)
    opened = next(day.date for day in page if day.state is DayState.FREE)
    go_on(monkeypatch, days.OPENED_FRESH_FOR + 1)

    assert all_days(HOUSE) == page

    standin.wait_for("getFreeTimes", count=15)
    wait_until(lambda: entry_of(opened).age < days.OPENED_FRESH_FOR)
    all_days(HOUSE)
    assert standin.count("getFreeTimes") == 15


def test_an_opened_day_that_is_too_old_is_waited_for(standin, patient, monkeypatch):
    lost = availability.day(HOUSE, a_day()).starts[3]
    standin.hand_to_a_rival(HOUSE_ID, lost)
    go_on(monkeypatch, days.OPENED_SHOWN_FOR + 1)

    [seen] = [day for day in all_days(HOUSE, a_day()) if day.date == a_day()]

    assert lost not in seen.starts


def test_an_opened_day_that_is_too_old_is_better_than_none(standin, monkeypatch, settings):
    monkeypatch.setattr(days, "PAGE_BUDGET", 30)
    known = availability.day(HOUSE, a_day())
    go_on(monkeypatch, days.OPENED_SHOWN_FOR + 1)
    standin.fail("getFreeTimes", "status")

    [seen] = [day for day in all_days(HOUSE, a_day()) if day.date == a_day()]

    assert seen == known


def test_a_read_that_began_before_a_booking_is_not_remembered_after_it(
    standin, fresh_for_long, patient
):
    standin.switch(latency=0.3)
    reader = Thread(target=availability.day, args=(HOUSE, a_day()))
    reader.start()
    standin.wait_for("getFreeTimes")

    availability.forget(HOUSE_ID, a_day())
    reader.join()

    # What came too early was thrown away, and asked for anew.
    assert standin.count("getFreeTimes") == 2


def test_another_installation_of_the_crm_has_a_memory_of_its_own(
    standin, settings, fresh_for_long, patient
):
    availability.day(HOUSE, a_day())
    settings.MACROCRM_DOMAIN = "other.example"

    assert cache.known([key_of(a_day())]) == {key_of(a_day()): None}


# A CRM that fails


def test_a_failure_is_remembered(standin, fresh_for_long, patient):
    standin.fail("getFreeTimes", "status")
    first = availability.day(HOUSE, a_day())
    asked = standin.count("getFreeTimes")

    again = availability.day(HOUSE, a_day())

    assert first.state is again.state is DayState.UNKNOWN
    assert standin.count("getFreeTimes") == asked


def test_a_remembered_failure_is_shown_while_one_caller_tries_again(standin, monkeypatch, patient):
    monkeypatch.setattr(cache, "FAILURE_FRESH_FOR", 0)
    standin.fail("getFreeTimes", "status", times=2)
    availability.day(HOUSE, a_day())

    again = availability.day(HOUSE, a_day())

    assert again.state is DayState.UNKNOWN
    wait_until(lambda: availability.day(HOUSE, a_day()).state is DayState.FREE)


def test_one_day_that_fails_does_not_hide_the_others(standin, fresh_for_long, patient, settings):
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "status", times=2)

    states = [day.state for day in all_days(HOUSE)]

    assert states.count(DayState.UNKNOWN) == 1


def test_a_crm_that_is_out_is_asked_no_more_than_it_takes_to_notice(
    standin, fresh_for_long, patient, settings
):
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "status")

    with pytest.raises(CRMUnavailable):
        all_days(HOUSE)

    # Each call is tried twice.
    assert standin.count("getFreeTimes") == 2 * cache.OUTAGE_AFTER


@pytest.mark.django_db
def test_a_crm_that_hangs_holds_up_no_page_after_it_is_noticed(
    standin, fresh_for_long, patient, settings
):
    settings.MACROCRM_READ_TIMEOUT = 0.3
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "hang")
    with pytest.raises(CRMUnavailable):
        all_days(HOUSE)
    asked = standin.count("getFreeTimes")
    began_at = time.monotonic()

    elsewhere = ReadyHouse("another", "", Flats(), URAL)
    for _buyer in range(50):
        with pytest.raises(CRMUnavailable):
            all_days(elsewhere, chosen=a_day())
    with pytest.raises(CRMUnavailable):
        availability.ready_houses("flat")

    assert time.monotonic() - began_at < 5
    assert standin.count("getFreeTimes") == asked
    assert standin.count("getReadyFlats") == 0


def test_what_is_known_is_shown_while_the_crm_is_out(standin, fresh_for_long, monkeypatch):
    known = availability.day(HOUSE, a_day())
    fail_until_the_crm_is_out(standin, monkeypatch)
    asked = standin.count("getFreeTimes")

    seen = all_days(HOUSE)

    assert [day for day in seen if day.state is not DayState.UNKNOWN] == [known]
    assert standin.count("getFreeTimes") == asked


def test_one_caller_tries_whether_an_outage_is_over_and_the_rest_need_not_wait(
    standin, monkeypatch
):
    monkeypatch.setattr(cache, "FAILURE_FRESH_FOR", 0)
    fail_until_the_crm_is_out(standin, monkeypatch)
    standin.recover()
    standin.fail("getFreeTimes", "hang")
    asked = standin.count("getFreeTimes")

    for _buyer in range(20):
        with pytest.raises(CRMUnavailable, match="HTTP 5"):
            all_days(HOUSE)
    standin.wait_for("getFreeTimes", count=asked + 1)

    assert standin.count("getFreeTimes") == asked + 1


def test_an_outage_ends_with_the_first_answer(standin, monkeypatch):
    monkeypatch.setattr(cache, "FAILURE_FRESH_FOR", 0)
    fail_until_the_crm_is_out(standin, monkeypatch)
    standin.recover()

    with pytest.raises(CRMUnavailable):
        all_days(HOUSE)

    wait_until(lambda: availability.day(HOUSE, a_day()).state is DayState.FREE)
    assert DayState.UNKNOWN not in {day.state for day in all_days(HOUSE)}


@pytest.mark.django_db
def test_a_day_the_page_no_longer_waits_for_is_not_asked(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 1
    settings.MACROCRM_READ_TIMEOUT = 0.5
    standin.fail("getFreeTimes", "hang", times=1)

    seen = all_days(HOUSE)
    # Behind the others, so those have been passed over by then.
    availability.is_offered(HOUSE, first_start_of(a_day()))

    assert {day.state for day in seen} == {DayState.UNKNOWN}
    assert standin.count("getFreeTimes") == 2


def test_the_chosen_day_is_waited_for(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 1
    standin.switch(latency=0.3)
    chosen = a_day(5)

    seen = all_days(HOUSE, chosen)

    assert {day.date: day.state for day in seen}[chosen] is DayState.FREE


def test_a_bug_in_a_refresh_that_no_page_waits_for_is_logged(
    standin, always_stale, patient, monkeypatch, caplog
):
    availability.day(HOUSE, a_day())
    monkeypatch.setattr(CRMClient, "free_times", lambda *_asked: 1 / 0)

    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    wait_until(lambda: "ZeroDivisionError" in caplog.text)


# What a process has read within the last second


def test_what_was_read_is_not_read_again_within_a_second(standin, fresh_for_long, patient, reads):
    known = all_days(HOUSE)
    all_days(HOUSE)
    reads.clear()

    assert all_days(HOUSE) == known
    assert reads == []


@pytest.mark.django_db
def test_a_press_looks_anew(standin, fresh_for_long, patient, reads):
    start = availability.day(HOUSE, a_day()).starts[0]
    reads.clear()

    assert availability.is_offered(HOUSE, start)

    assert key_of(a_day()) in reads


def test_what_was_read_is_read_again_after_a_second(standin, fresh_for_long, patient, reads):
    all_days(HOUSE)
    reads.clear()
    cache.forget_recent()

    all_days(HOUSE)

    assert key_of(a_day()) in reads


# Read in advance


def test_what_is_read_in_advance_is_there_when_the_buyer_is(standin, settings, fresh_for_long):
    settings.MACROCRM_CONCURRENCY = 14
    standin.switch(latency=1)
    began_at = time.monotonic()
    availability.prefetch(HOUSE)
    took = time.monotonic() - began_at
    standin.wait_for("getFreeTimes", count=14)
    wait_until(lambda: DayState.UNKNOWN not in {day.state for day in all_days(HOUSE)})

    assert took < 1
    assert standin.count("getFreeTimes") == 14


def test_nothing_is_read_in_advance_that_is_known(standin, fresh_for_long, patient):
    all_days(HOUSE)

    for _page in range(5):
        availability.prefetch(HOUSE)

    assert standin.count("getFreeTimes") == 14


# Evidence for the journal


def test_whether_a_start_was_free_is_known_only_of_a_recent_look(standin, patient, monkeypatch):
    assert availability.was_free(HOUSE_ID, standin.free_starts(HOUSE_ID)[0]) is None
    start = availability.day(HOUSE, a_day()).starts[0]

    assert availability.was_free(HOUSE_ID, start) is True
    assert availability.was_free(HOUSE_ID, start.replace(hour=3)) is False
    go_on(monkeypatch, days.OPENED_FRESH_FOR + 1)
    assert availability.was_free(HOUSE_ID, start) is None


def test_whether_a_start_is_free_is_asked_anew(standin, fresh_for_long, patient):
    start = availability.day(HOUSE, a_day()).starts[0]
    assert availability.is_free(HOUSE_ID, start) is True

    standin.hand_to_a_rival(HOUSE_ID, start)

    assert availability.is_free(HOUSE_ID, start) is False
    standin.fail("getFreeTimes", "status")
    assert availability.is_free(HOUSE_ID, start) is None


# Days


def test_a_declined_day_is_full_and_tells_why(standin, patient, settings):
    standin.switch(horizon_days=3)

    day = availability.day(HOUSE, a_day(10))

    assert day.state is DayState.FULL
    assert day.explanation
    assert availability.is_free(HOUSE_ID, standin.free_starts(HOUSE_ID)[0] + timedelta(10)) is None


def test_the_first_page_with_a_free_time_is_found(standin, patient, settings):
    settings.BOOKING_HORIZON_DAYS = 60
    closed = availability.horizon(URAL)[:20]
    standin.switch(closed_days=[day.isoformat() for day in closed])

    page = availability.days_page(HOUSE)

    assert page.days[0].date == availability.horizon(URAL)[14]
    assert page.earlier == availability.horizon(URAL)[0]
    assert standin.count("getFreeTimes") == 28


def test_a_long_horizon_is_never_read_as_a_whole(standin, patient, settings):
    settings.BOOKING_HORIZON_DAYS = 120
    closed = availability.horizon(URAL)
    standin.switch(closed_days=[day.isoformat() for day in closed])

    page = availability.days_page(HOUSE)

    assert page.days[0].date == availability.horizon(URAL)[0]
    assert {day.state for day in page.days} == {DayState.FULL}
    assert page.later == availability.horizon(URAL)[14 * (1 + days.PAGES_PASSED_OVER)]
    assert standin.count("getFreeTimes") == 14 * (1 + days.PAGES_PASSED_OVER)


def test_a_chosen_day_shows_its_own_page_even_if_that_is_full(standin, patient, settings):
    settings.BOOKING_HORIZON_DAYS = 60
    closed = availability.horizon(URAL)[14:28]
    standin.switch(closed_days=[day.isoformat() for day in closed])

    page = availability.days_page(HOUSE, closed[3])

    assert [day.date for day in page.days] == closed
    assert standin.count("getFreeTimes") == 14


# Houses and flats


def built(houses: int, flats: int) -> tuple[BuiltHouse, ...]:
    return tuple(
        BuiltHouse(
            str(number),
            f"Дом {number}",
            tuple(BuiltFlat("flat", f"{number}-{flat}") for flat in range(flats, 0, -1)),
        )
        for number in range(houses, 0, -1)
    )


@pytest.fixture
def big(settings, standin):
    with StandIn(houses=built(30, 40)) as crm:
        settings.MACROCRM_URL = crm.url
        yield crm


@pytest.mark.django_db
def test_houses_and_flats_are_in_natural_order(big):
    found = availability.ready_houses("flat").houses

    assert [house.title for house in found][:3] == ["Дом 1", "Дом 2", "Дом 3"]
    assert [flat.number for flat in found[1].flats][:3] == ["2-1", "2-2", "2-3"]
    assert [len(house.flats) for house in found] == [40] * 30


@pytest.mark.django_db
def test_a_list_of_houses_unpacks_no_flats(big, monkeypatch):
    availability.ready_houses("flat")
    unpacked = []

    def noted(text: str):
        unpacked.append(text)
        return loads(text)

    monkeypatch.setattr("json.loads", noted)

    listed = availability.ready_houses("flat")
    assert sum(len(house.flats) for house in listed.houses) == 1200
    assert unpacked == []
    assert [house.id for house in listed.houses_with("7-12")] == ["7"]
    assert len(unpacked) == 1


@pytest.mark.django_db
def test_what_the_admin_says_of_a_house_shows_at_once(big):
    assert listed("3").zone == URAL

    models.House.objects.create(house_id="3", address="Лесная, 3", time_zone="Asia/Omsk")

    house = listed("3")
    assert (house.address, str(house.zone)) == ("Лесная, 3", "Asia/Omsk")
    assert big.count("getReadyFlats") == 1


@pytest.mark.django_db
def test_a_house_in_another_zone_is_asked_in_its_own_time(standin, patient):
    models.House.objects.create(house_id=HOUSE_ID, time_zone="Asia/Kamchatka")
    house = listed()

    day = all_days(house)[-1]

    assert day.date == availability.horizon(ZoneInfo("Asia/Kamchatka"))[-1]
    assert all(
        record.params["transfer_date"].endswith("T00:00:00+12:00")
        for record in standin.requests
        if record.method == "getFreeTimes"
    )


@pytest.mark.django_db
def test_a_list_that_cannot_be_read_is_an_error_again_and_again(standin, fresh_for_long):
    standin.fail("getReadyFlats", "status")

    for _buyer in range(3):
        with pytest.raises(CRMError):
            availability.ready_houses("flat")

    assert standin.count("getReadyFlats") == 2
