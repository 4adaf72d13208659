"""What a page need not find out again, because nothing has changed since the one before."""

import time
from dataclasses import replace
from datetime import time as clock
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.utils import timezone

from booking import availability
from booking.availability import DayState, Flats, House, calendar, memory, store, timetable

URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE = House("3105011", "", Flats(), URAL)
LONG = 10 * 24 * 3600.0


@pytest.fixture(autouse=True)
def patient_and_fresh(monkeypatch):
    monkeypatch.setattr(timetable, "PAGE_BUDGET", 30)
    monkeypatch.setattr(timetable, "TIMES_FRESH_FOR", LONG)


@pytest.fixture
def reads_of_mark(monkeypatch) -> list[str]:
    keys: list[str] = []
    get_many = cache.get_many

    def noted(wanted):
        keys.extend(key for key in wanted if key == store.MARK)
        return get_many(wanted)

    monkeypatch.setattr(cache, "get_many", noted)
    return keys


def known_page(house=HOUSE):
    """The page as it is when nobody has written since it was put together."""
    availability.days_page(house)
    return availability.days_page(house)


def first_start(page):
    return next(start for day in page.days for start in day.starts)


def go_to(monkeypatch, moment):
    monkeypatch.setattr(time, "time", moment.timestamp)
    monkeypatch.setattr(timezone, "now", lambda: moment)


class TestPageOfDays:
    def test_it_is_the_same_object_while_nothing_changes(self, standin):
        page = known_page()

        assert availability.days_page(HOUSE) is page
        assert availability.days_page(HOUSE, page.days[3].date) is page
        assert standin.count("getFreeTimes") == len(page.days)

    def test_a_house_with_longer_visits_has_its_own(self, standin):
        page = known_page()

        longer = known_page(replace(HOUSE, visit_slots=4))

        assert all(
            len(a.starts) > len(b.starts)
            for a, b in zip(page.days, longer.days, strict=True)
            if a.starts
        )

    def test_a_house_in_another_zone_has_its_own_though_the_moments_are_the_same(self, monkeypatch):
        hours = {"ural": range(10, 19), "moscow": range(8, 17)}
        monkeypatch.setattr(
            timetable, "_read", lambda house, _zone, _day: (tuple(map(clock, hours[house])), "")
        )
        known_page(House("ural", "", Flats(), URAL))

        page = known_page(House("moscow", "", Flats(), ZoneInfo("Europe/Moscow")))

        assert [start.hour for start in page.days[-1].starts] == list(hours["moscow"])

    def test_a_day_that_was_forgotten_makes_it_another(self, standin):
        page = known_page()
        start = first_start(page)
        standin.hand_to_a_rival(HOUSE.id, start)

        availability.forget(HOUSE.id, start.date())

        assert start not in [s for day in availability.days_page(HOUSE).days for s in day.starts]

    def test_a_day_that_is_no_longer_fresh_is_asked_for_again(self, standin, monkeypatch):
        monkeypatch.setattr(timetable, "TIMES_FRESH_FOR", 5)
        page = known_page()

        go_to(monkeypatch, timezone.now() + timedelta(seconds=6))
        stale = availability.days_page(HOUSE)

        standin.wait_for("getFreeTimes", count=2 * len(page.days))
        # Nothing has changed in them, so what was drawn of them still serves.
        assert stale is page

    def test_it_ends_with_the_notice_of_its_first_time(self, standin, settings, monkeypatch):
        start = first_start(availability.days_page(HOUSE))
        ahead = start - timezone.now()
        settings.BOOKING_MIN_NOTICE_HOURS = int(ahead.total_seconds() // 3600)
        cache.clear()
        assert first_start(known_page()) == start

        go_to(monkeypatch, calendar.last_offered_at(start) + timedelta(seconds=1))

        assert first_start(availability.days_page(HOUSE)) > start

    def test_a_day_that_failed_is_asked_for_again(self, standin, settings, monkeypatch):
        settings.MACROCRM_CONCURRENCY = 1
        monkeypatch.setattr(memory, "FAILURE_FRESH_FOR", 0)
        standin.fail("getFreeTimes", "status", times=2)
        page = availability.days_page(HOUSE)
        assert [day.state for day in page.days].count(DayState.UNKNOWN) == 1

        availability.days_page(HOUSE)

        standin.wait_for("getFreeTimes", count=len(page.days) + 2)


class TestOneMoment:
    def test_the_mark_is_read_once(self, reads_of_mark):
        store.write("a", 1, LONG)
        with availability.one_moment():
            for _page in range(3):
                assert store.read_once(["a"]) == {"a": 1}

        assert len(reads_of_mark) == 1

    def test_what_another_process_writes_shows_from_the_next_moment_on(self):
        store.write("a", 1, LONG)
        with availability.one_moment():
            store.read_once(["a"])
            # As another process does it: nothing in this one is told.
            cache.set("a", 2, LONG)
            cache.set(store.MARK, "of another", LONG)

            assert store.read_once(["a"]) == {"a": 1}

        assert store.read_once(["a"]) == {"a": 2}

    def test_what_one_writes_oneself_shows_at_once(self):
        with availability.one_moment():
            store.write("a", 1, LONG)
            store.read_once(["a"])
            store.write("a", 2, LONG)

            assert store.read_once(["a"]) == {"a": 2}
