"""What the CRM bears: reads in a minute, the urgent ones first, and the pauses that it asks for."""

import time
from zoneinfo import ZoneInfo

import pytest

from booking import availability, crm_budget
from booking.availability import DayState, Flats, ReadyHouse, cache, days
from booking.crm import CRMError
from booking.models import Booking
from tests import journey

URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE = ReadyHouse("3105011", "", Flats(), URAL)


@pytest.fixture(autouse=True)
def budget(settings, monkeypatch):
    settings.MACROCRM_CALLS_PER_MINUTE = 20
    monkeypatch.setattr(days, "PAGE_BUDGET", 5)


def go_on(monkeypatch, seconds: float) -> None:
    later = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: later)
    cache.forget_recent()


def taken(urgency: int) -> int:
    """How many slots there are for calls that are as urgent, one after another."""
    count = 0
    while crm_budget.take(urgency) == 0:
        count += 1
    return count


def a_page_of(house: str):
    return availability.days_page(ReadyHouse(house, "", Flats(), URAL)).days


def test_there_are_so_many_slots_a_minute(standin, monkeypatch):
    assert taken(0) == 20
    go_on(monkeypatch, 30)
    assert taken(0) == 0
    go_on(monkeypatch, 32)
    assert taken(0) == 20


def test_the_last_slots_are_for_what_is_urgent(standin):
    assert taken(2) == 14
    assert taken(1) == 3
    assert taken(0) == 3


def test_days_beyond_the_budget_are_not_checked_yet(standin):
    one, two = a_page_of("3105011"), a_page_of("3105012")

    assert [day.state for day in one].count(DayState.UNKNOWN) == 0
    assert standin.count("getFreeTimes") < 20
    assert DayState.UNKNOWN in {day.state for day in two}


def test_the_day_that_is_opened_is_read_all_the_same(standin):
    taken(2)

    seen = availability.days_page(HOUSE, availability.horizon(URAL)[5]).days

    assert [day.state for day in seen].count(DayState.UNKNOWN) == 13
    assert seen[5].state is DayState.FREE


def test_what_is_known_is_shown_while_the_budget_is_spent(standin, monkeypatch):
    known = a_page_of("3105011")
    taken(0)
    go_on(monkeypatch, days.OTHERS_FRESH_FOR + 1)
    taken(0)
    asked = standin.count("getFreeTimes")
    monkeypatch.setattr(days, "PAGE_BUDGET", 0.2)

    for _page in range(5):
        assert a_page_of("3105011")[1:] == known[1:]
    assert standin.count("getFreeTimes") == asked


# Pauses


def test_a_crm_that_wants_fewer_calls_gets_none_until_then(standin):
    known = availability.day(HOUSE, availability.horizon(URAL)[1])
    standin.fail("getFreeTimes", "rate", retry_after=45, times=1)
    availability.day(HOUSE, availability.horizon(URAL)[2])
    asked = standin.count("getFreeTimes")
    began_at = time.monotonic()

    seen = availability.days_page(HOUSE).days

    assert time.monotonic() - began_at < 2
    assert standin.count("getFreeTimes") == asked
    assert [day for day in seen if day.state is not DayState.UNKNOWN] == [known]


def test_that_is_no_outage(standin, monkeypatch):
    standin.fail("getFreeTimes", "rate", retry_after=1)
    for ahead in range(cache.OUTAGE_AFTER):
        availability.day(HOUSE, availability.horizon(URAL)[ahead])
        go_on(monkeypatch, 2)
    standin.recover()

    assert availability.day(HOUSE, availability.horizon(URAL)[5]).state is DayState.FREE


@pytest.mark.django_db
def test_a_pause_that_any_reply_asks_for_is_for_every_call(standin, monkeypatch):
    standin.fail("getFreeTimes", "status", headers={"Retry-After": "30"})
    availability.day(HOUSE, availability.horizon(URAL)[1])

    with pytest.raises(CRMError):
        availability.ready_houses("flat")
    assert standin.count("getReadyFlats") == 0

    go_on(monkeypatch, 31)
    assert availability.ready_houses("flat").houses


@pytest.mark.django_db(transaction=True)
def test_a_booking_waits_for_the_end_of_a_pause(client, standin, monkeypatch):
    form = journey.fill_in(client, journey.first_free(standin))
    standin.fail("getFreeTimes", "rate", retry_after=20, times=1)
    availability.day(HOUSE, availability.horizon(URAL)[9])

    told = journey.send(client, form)

    assert told.status_code == 429
    assert standin.count("add") == 0
    assert not Booking.objects.exists()

    go_on(monkeypatch, 21)
    assert journey.send(client, form).status_code == 302
    assert standin.count("add") == 1
