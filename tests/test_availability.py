"""Reading houses, days and times over a real socket: how often, how long, and what is shown."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from datetime import time as clock
from threading import Barrier, Event, Thread
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.db import connections

from booking import availability, models
from booking.availability import DayState, Flats, House, asking, catalogue, memory, store, timetable
from booking.availability.memory import Remembered
from booking.availability.mutexes import mutex_of
from booking.crm import CRMError, CRMUnavailable
from standin import StandIn
from standin.fixtures import Flat as BuiltFlat
from standin.fixtures import House as BuiltHouse
from tests.variables import ROOT, environment

URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE_ID = "3105011"
HOUSE = House(HOUSE_ID, "", Flats(), URAL)
LONG = 3600.0


@pytest.fixture
def fresh_for_long(monkeypatch):
    """However slow the machine, nothing gets stale by itself."""
    monkeypatch.setattr(timetable, "TIMES_FRESH_FOR", LONG)
    monkeypatch.setattr(memory, "FAILURE_FRESH_FOR", LONG)
    monkeypatch.setattr(memory, "LONGEST_PAUSE", LONG)


@pytest.fixture
def always_stale(monkeypatch):
    """Whatever is remembered should be asked for again at once."""
    monkeypatch.setattr(timetable, "TIMES_FRESH_FOR", 0)
    monkeypatch.setattr(timetable, "TIMES_GOOD_FOR", LONG)


@pytest.fixture
def patient(monkeypatch):
    """A page waits for its days until they are there."""
    monkeypatch.setattr(timetable, "PAGE_BUDGET", 30)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(timetable, "PAGE_BUDGET", 0.05)


def all_days(house: House, chosen=None):
    return availability.days_page(house, chosen).days


def a_day(ahead: int = 1):
    return availability.horizon(URAL)[ahead]


def key_of(day) -> str:
    return memory.key_of("times", HOUSE_ID, day.isoformat())


def first_start_of(day):
    return datetime.combine(day, clock(9), URAL)


def entry_of(key: str) -> Remembered:
    entry = asking.known(key)
    assert entry
    return entry


def listed(house_id: str = HOUSE_ID) -> House:
    house = availability.ready_houses("flat").house(house_id)
    assert house
    return house


def wait_until(what, timeout: float = 10):
    give_up = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < give_up, "it does not come"
        time.sleep(0.01)


def nothing_is_under_way() -> bool:
    return not asking._desk()._flights


@contextmanager
def other_worker(standin: StandIn, *days):
    """A process of the same site with the same cache, ready to look at the days."""
    same = environment(CACHE_URL=os.environ["CACHE_URL"], MACROCRM_URL=standin.url)
    variables = os.environ | same | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", "tests.availability_worker", HOUSE_ID]
    command += [day.isoformat() for day in days]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
        yield worker


def let(worker) -> None:
    worker.stdin.write("go\n")
    worker.stdin.flush()


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


def test_workers_that_want_the_same_make_one_call(standin, fresh_for_long):
    standin.switch(latency=0.2)
    days = availability.horizon(URAL)[:4]

    with other_worker(standin, *days) as one, other_worker(standin, *days) as two:
        for worker in (one, two):
            let(worker)
        seen = {worker.stdout.readline() for worker in (one, two)}

    assert len(seen) == 1
    assert standin.count("getFreeTimes") == 4


def test_a_worker_waits_for_what_another_one_asks(standin, fresh_for_long):
    day = a_day()
    mutex = mutex_of(key_of(day), patience=10)
    mutex.acquire()
    with other_worker(standin, day) as worker:
        let(worker)
        memory.keep_answer(
            key_of(day), memory.view(key_of(day)), ((), ""), fresh_for=LONG, good_for=LONG
        )
        mutex.release()
        seen = worker.stdout.readline()

    assert seen == "0\n"
    assert standin.count("getFreeTimes") == 0


def test_who_waits_for_another_worker_in_vain_says_so(standin, monkeypatch, caplog):
    monkeypatch.setattr(asking, "longest_read", lambda: 0.1)
    mutex = mutex_of(key_of(a_day()), patience=10)
    mutex.acquire()

    day = availability.day(HOUSE, a_day())
    mutex.release()

    assert day.state is DayState.UNKNOWN
    assert "A lock was not free in time" in caplog.text
    assert standin.count("getFreeTimes") == 0


def test_a_disk_without_locks_costs_calls_not_pages(standin, settings, tmp_path, monkeypatch):
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    without = Mock(side_effect=OSError(errno.ENOLCK, "No locks available"))
    monkeypatch.setattr(fcntl, "flock", without)

    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    assert without.called


@pytest.mark.skipif(
    "TESTS_CACHE_URL" in os.environ, reason="a lock in Redis frees itself by time alone"
)
def test_a_worker_that_is_killed_while_it_asks_stands_in_nobodys_way(standin, fresh_for_long):
    day = a_day()
    standin.fail("getFreeTimes", "hang", times=1)
    with other_worker(standin, day) as worker:
        let(worker)
        standin.wait_for("getFreeTimes", timeout=30)
        worker.kill()
        worker.wait()

    mutex = mutex_of(key_of(day), patience=0)
    assert mutex.acquire(False)
    # Or whoever wants this file for another key, in whichever test, waits for it in vain.
    mutex.release()
    assert standin.count("getFreeTimes") == 1


def test_days_are_asked_side_by_side_but_no_more_than_allowed(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 3
    standin.fail("getFreeTimes", "hang")

    all_days(HOUSE)
    standin.wait_for("getFreeTimes", count=3)
    all_days(HOUSE)

    assert standin.count("getFreeTimes") == 3
    standin.recover()
    wait_until(nothing_is_under_way)


# Fresh, stale, dropped


def test_a_stale_day_is_shown_while_one_caller_asks_again(standin, always_stale, patient):
    first = availability.day(HOUSE, a_day())
    standin.fail("getFreeTimes", "hang")

    again = [availability.day(HOUSE, a_day()) for _buyer in range(20)]
    standin.wait_for("getFreeTimes", count=2)

    assert first.state is DayState.FREE
    assert again == [first] * 20
    assert standin.count("getFreeTimes") == 2
    standin.recover()
    wait_until(nothing_is_under_way)


def test_a_stale_day_is_soon_the_new_one(standin, always_stale, patient):
    lost = availability.day(HOUSE, a_day()).starts[3]
    standin.hand_to_a_rival(HOUSE_ID, lost)

    wait_until(lambda: lost not in availability.day(HOUSE, a_day()).starts)


def test_a_failed_refresh_keeps_what_is_known(standin, always_stale, patient):
    first = availability.day(HOUSE, a_day())
    standin.fail("getFreeTimes", "status")
    availability.day(HOUSE, a_day())
    wait_until(nothing_is_under_way)
    asked = standin.count("getFreeTimes")

    again = availability.day(HOUSE, a_day())

    assert again == first
    assert again.state is not DayState.UNKNOWN
    assert standin.count("getFreeTimes") == asked


def test_what_was_read_together_does_not_get_stale_together(standin, patient):
    all_days(HOUSE)

    entries, _outage = memory.recall(key_of(day) for day in availability.horizon(URAL))
    periods = {round(entry.fresh_until - entry.read_at, 3) for entry in entries.values()}

    assert len(periods) > 1
    assert all(24 <= period <= 30 for period in periods)


def test_a_day_that_is_forgotten_is_asked_again_by_everybody(standin, fresh_for_long, patient):
    lost = availability.day(HOUSE, a_day()).starts[0]
    standin.hand_to_a_rival(HOUSE_ID, lost)
    availability.forget(HOUSE_ID, a_day())

    with other_worker(standin, a_day()) as worker:
        let(worker)
        seen = int(worker.stdout.readline())

    assert lost not in availability.day(HOUSE, a_day()).starts
    assert seen == len(availability.day(HOUSE, a_day()).starts)
    assert standin.count("getFreeTimes") == 2


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


def test_who_comes_after_a_booking_of_another_process_sees_no_answer_from_before_it(
    standin, fresh_for_long, patient, monkeypatch
):
    lost = next(start for start in standin.free_starts(HOUSE_ID) if start.date() == a_day())
    answered, told = Event(), Event()
    read = timetable._read

    def read_slowly(*asked):
        answer = read(*asked)
        answered.set()
        told.wait(10)
        return answer

    monkeypatch.setattr(timetable, "_read", read_slowly)
    with ThreadPoolExecutor(2) as buyers:
        buyers.submit(availability.day, HOUSE, a_day())
        answered.wait(10)
        standin.hand_to_a_rival(HOUSE_ID, lost)
        memory.drop(key_of(a_day()))  # which is all that the other process can do here
        after = buyers.submit(availability.day, HOUSE, a_day())
        wait_until(lambda: len(asking._desk()._flights) == 1)
        told.set()

    assert lost not in after.result().starts


def test_another_installation_of_the_crm_has_a_memory_of_its_own(
    standin, settings, fresh_for_long, patient
):
    availability.day(HOUSE, a_day())
    settings.MACROCRM_DOMAIN = "other.example"

    assert asking.known(key_of(a_day())) is None


# A CRM that fails


def test_a_failure_is_remembered(standin, fresh_for_long, patient):
    standin.fail("getFreeTimes", "status")
    first = availability.day(HOUSE, a_day())
    asked = standin.count("getFreeTimes")

    again = availability.day(HOUSE, a_day())

    assert first.state is again.state is DayState.UNKNOWN
    assert standin.count("getFreeTimes") == asked


def test_a_remembered_failure_is_shown_while_one_caller_tries_again(standin, monkeypatch, patient):
    monkeypatch.setattr(memory, "FAILURE_FRESH_FOR", 0)
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
    assert standin.count("getFreeTimes") == 2 * asking.OUTAGE_AFTER


@pytest.mark.django_db
def test_a_crm_that_hangs_holds_up_nobody_after_it_is_noticed(
    standin, fresh_for_long, hurried, settings
):
    settings.MACROCRM_READ_TIMEOUT = 0.3
    standin.fail("getFreeTimes", "hang")
    assert {day.state for day in all_days(HOUSE)} == {DayState.UNKNOWN}
    wait_until(lambda: memory.recall([])[1])
    wait_until(nothing_is_under_way)
    asked = standin.count("getFreeTimes")

    elsewhere = House("another", "", Flats(), URAL)
    for _buyer in range(50):
        with pytest.raises(CRMUnavailable):
            all_days(elsewhere, chosen=a_day())

    assert standin.count("getFreeTimes") == asked
    assert nothing_is_under_way()
    with pytest.raises(CRMUnavailable):
        availability.ready_houses("flat")
    assert standin.count("getReadyFlats") == 0


def test_what_is_known_is_shown_while_the_crm_is_out(standin, fresh_for_long, patient):
    known = availability.day(HOUSE, a_day())
    memory.begin_outage(CRMUnavailable("No answer."))

    days = all_days(HOUSE)

    assert [day for day in days if day.state is not DayState.UNKNOWN] == [known]
    assert standin.count("getFreeTimes") == 1


def test_one_caller_tries_whether_an_outage_is_over_and_the_rest_need_not_wait(
    standin, monkeypatch, patient
):
    monkeypatch.setattr(memory, "FAILURE_FRESH_FOR", 0)
    memory.begin_outage(CRMUnavailable("No answer."))
    standin.fail("getFreeTimes", "hang")

    for _buyer in range(20):
        with pytest.raises(CRMUnavailable, match="No answer"):
            all_days(HOUSE)
    standin.wait_for("getFreeTimes")

    assert standin.count("getFreeTimes") == 1
    standin.recover()
    wait_until(nothing_is_under_way)


def test_an_outage_that_another_process_has_ended_does_not_come_back_by_one_failure(
    standin, fresh_for_long, patient, settings
):
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "status")
    with pytest.raises(CRMUnavailable):
        all_days(HOUSE)
    memory.end_outage()

    availability.is_free(HOUSE_ID, first_start_of(a_day()))

    assert memory.recall([])[1] is None


def test_an_outage_ends_with_the_first_answer(standin, monkeypatch, patient):
    monkeypatch.setattr(memory, "FAILURE_FRESH_FOR", 0)
    memory.begin_outage(CRMUnavailable("No answer."))
    with pytest.raises(CRMUnavailable):
        all_days(HOUSE)

    wait_until(lambda: memory.recall([])[1] is None)

    assert DayState.UNKNOWN not in {day.state for day in all_days(HOUSE)}


def test_a_crm_that_asks_for_a_pause_gets_it(standin):
    standin.fail("getFreeTimes", "rate", retry_after=45)

    availability.day(HOUSE, a_day())

    entry = entry_of(key_of(a_day()))
    assert isinstance(entry.error, CRMUnavailable)
    assert entry.error.retry_after == 45
    assert entry.fresh_until - entry.read_at == pytest.approx(45)


def test_a_day_the_page_no_longer_waits_for_is_not_asked(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 1
    settings.MACROCRM_READ_TIMEOUT = 0.5
    standin.fail("getFreeTimes", "hang", times=1)

    days = all_days(HOUSE)
    wait_until(nothing_is_under_way)

    assert {day.state for day in days} == {DayState.UNKNOWN}
    assert standin.count("getFreeTimes") == 1


def test_the_chosen_day_is_waited_for(standin, settings, hurried):
    settings.MACROCRM_CONCURRENCY = 1
    standin.switch(latency=0.3)
    chosen = a_day(5)

    days = all_days(HOUSE, chosen)

    assert {day.date: day.state for day in days}[chosen] is DayState.FREE


def test_a_cache_that_is_away_costs_calls_not_pages(standin, settings, patient):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }

    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    assert standin.count("getFreeTimes") == 2


def test_a_folder_that_cannot_be_written_costs_calls_not_pages(
    standin, settings, patient, tmp_path
):
    (tmp_path / "file").touch()
    location = str(tmp_path / "file" / "cache")
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}

    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    assert standin.count("getFreeTimes") == 2


@pytest.mark.parametrize(
    "left_of", [lambda data: data[:-8], lambda data: bytes(len(data))], ids=["cut", "zeroed"]
)
def test_files_spoilt_by_a_power_cut_are_thrown_away(
    standin, settings, fresh_for_long, patient, tmp_path, left_of
):
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    known = all_days(HOUSE)
    for file in tmp_path.glob("*.djcache"):
        file.write_bytes(left_of(file.read_bytes()))
    before = standin.count("getFreeTimes")

    assert all_days(HOUSE) == known
    assert all_days(HOUSE) == known
    assert standin.count("getFreeTimes") == before + len(known)


def test_a_bug_in_a_refresh_that_nobody_waits_for_is_logged(
    standin, always_stale, patient, monkeypatch, caplog
):
    availability.day(HOUSE, a_day())
    monkeypatch.setattr(timetable, "_read", lambda *_asked: 1 / 0)

    assert availability.day(HOUSE, a_day()).state is DayState.FREE
    wait_until(lambda: "ZeroDivisionError" in caplog.text)


# Evidence for the journal


def test_whether_a_start_was_free_is_known_only_of_a_recent_look(
    standin, fresh_for_long, patient, monkeypatch
):
    assert availability.was_free(HOUSE_ID, standin.free_starts(HOUSE_ID)[0]) is None
    start = availability.day(HOUSE, a_day()).starts[0]

    assert availability.was_free(HOUSE_ID, start) is True
    assert availability.was_free(HOUSE_ID, start.replace(hour=3)) is False
    monkeypatch.setattr(timetable, "TIMES_FRESH_FOR", -1)
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
    assert page.later == availability.horizon(URAL)[14 * (1 + timetable.PAGES_PASSED_OVER)]
    assert standin.count("getFreeTimes") == 14 * (1 + timetable.PAGES_PASSED_OVER)


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
    houses = availability.ready_houses("flat").houses

    assert [house.title for house in houses][:3] == ["Дом 1", "Дом 2", "Дом 3"]
    assert [flat.number for flat in houses[1].flats][:3] == ["2-1", "2-2", "2-3"]
    assert [len(house.flats) for house in houses] == [40] * 30


@pytest.mark.django_db
def test_a_list_of_houses_unpacks_no_flats(big):
    houses = availability.ready_houses("flat").houses
    catalogue._unpacked.cache_clear()

    assert sum(len(house.flats) for house in houses) == 1200
    assert catalogue._unpacked.cache_info().misses == 0
    assert [h.id for h in availability.ready_houses("flat").houses_with("7-12")] == ["7"]
    assert catalogue._unpacked.cache_info().misses == 1


@pytest.mark.django_db
def test_a_list_whose_large_entry_was_thrown_out_is_read_again(big):
    availability.ready_houses("flat")
    catalogue._listed.cache_clear()
    catalogue._offered.cache_clear()
    catalogue._read_here.clear()
    digest, _stand_in = entry_of(memory.key_of("houses", "flat")).answer
    cache.delete(memory.key_of("body", digest))

    assert len(availability.ready_houses("flat").houses) == 30
    assert big.count("getReadyFlats") == 2


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


# What a process has read already


@pytest.fixture
def read_keys(monkeypatch) -> list[str]:
    """Every key that is read from the store, in order."""
    keys: list[str] = []
    get_many = cache.get_many

    def noted(wanted):
        keys.extend(wanted)
        return get_many(wanted)

    monkeypatch.setattr(cache, "get_many", noted)
    return keys


def test_what_was_read_is_not_read_again_until_somebody_writes(read_keys):
    store.write("a", 1, LONG)
    assert store.read_once(["a", "b"]) == {"a": 1}
    read_keys.clear()

    assert store.read_once(["a", "b"]) == {"a": 1}
    assert read_keys == [store.MARK]

    store.write("b", 2, LONG)
    assert store.read_once(["a", "b"]) == {"a": 1, "b": 2}


def test_what_another_process_drops_is_gone_here(read_keys):
    store.write("a", 1, LONG)
    store.read_once(["a"])

    # As another process does it: nothing in this one is told.
    cache.delete("a")
    cache.set(store.MARK, "of another", LONG)

    assert store.read_once(["a"]) == {}


def test_without_a_mark_everything_is_read_each_time(read_keys):
    store.write("a", 1, LONG)
    store.read_once(["a"])
    cache.delete(store.MARK)

    cache.set("a", 2, LONG)

    assert store.read_once(["a"]) == {"a": 2}


def test_an_entry_that_has_run_out_is_not_recalled_from_what_was_read(monkeypatch):
    memory.keep_answer("k", memory.view("k"), "x", fresh_for=5, good_for=5)
    assert set(memory.recall(["k"])[0]) == {"k"}

    later = time.time() + 11
    monkeypatch.setattr(time, "time", lambda: later)

    assert memory.recall(["k"])[0] == {}
