"""A page of days is the same object while nothing in it changes: what is drawn of it serves."""

import time
from dataclasses import replace
from datetime import time as clock
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from booking import availability
from booking.availability import Flats, ReadyHouse, cache, days
from booking.crm import FreeTimes

URAL = ZoneInfo("Asia/Yekaterinburg")
HOUSE = ReadyHouse("3105011", "", Flats(), URAL)
LONG = 10 * 24 * 3600.0


@pytest.fixture(autouse=True)
def patient_and_fresh(monkeypatch):
    monkeypatch.setattr(days, "PAGE_BUDGET", 30)
    for name in ("OPENED_FRESH_FOR", "OPENED_SHOWN_FOR", "OTHERS_FRESH_FOR", "KEPT_FOR"):
        monkeypatch.setattr(days, name, LONG)


def known_page(house=HOUSE):
    """The page as it is when nothing has changed since the one before."""
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

    def test_a_house_in_another_zone_has_its_own_though_the_moments_are_the_same(
        self, standin, monkeypatch
    ):
        hours = {"ural": range(10, 19), "moscow": range(8, 17)}

        class CRM:
            def free_times(self, house, _day, _zone):
                return FreeTimes(times=tuple(map(clock, hours[house])))

        monkeypatch.setattr(days, "crm_client", CRM)
        known_page(ReadyHouse("ural", "", Flats(), URAL))

        page = known_page(ReadyHouse("moscow", "", Flats(), ZoneInfo("Europe/Moscow")))

        assert [start.hour for start in page.days[-1].starts] == list(hours["moscow"])

    def test_a_day_that_was_forgotten_makes_it_another(self, standin):
        page = known_page()
        start = first_start(page)
        standin.hand_to_a_rival(HOUSE.id, start)

        availability.forget(HOUSE.id, start.date())

        assert start not in [s for day in availability.days_page(HOUSE).days for s in day.starts]

    def test_it_ends_with_the_notice_of_its_first_time(self, standin, settings, monkeypatch):
        start = first_start(availability.days_page(HOUSE))
        ahead = start - timezone.now()
        settings.BOOKING_MIN_NOTICE_HOURS = int(ahead.total_seconds() // 3600)
        assert first_start(known_page()) == start

        cache.forget_recent()
        go_to(monkeypatch, start - timedelta(hours=settings.BOOKING_MIN_NOTICE_HOURS, seconds=-1))

        assert first_start(availability.days_page(HOUSE)) > start
