"""The days of step 2 alone, which its script asks for when some were not checked in time."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlencode

import pytest

from booking import availability
from tests.journey import FLAT, HOUSE, first_free, offered_times, text_of

pytestmark = pytest.mark.django_db
OF_FLAT = {"category": "flat", "house": HOUSE, "flat": FLAT}


def days(client, **more):
    return client.get(f"/time/days/?{urlencode({**OF_FLAT, **more})}")


def value(start):
    return f'name="start" value="{start:%Y-%m-%dT%H:%M}"'


def test_it_is_the_list_of_the_page_and_nothing_else(client, standin):
    page = text_of(client.get(f"/time/?{urlencode(OF_FLAT)}"))
    alone = text_of(days(client)).strip()

    assert alone in page
    assert alone.startswith("<")
    assert "<html" not in alone
    assert FLAT not in alone


def test_the_day_that_is_open_stays_open(client, standin):
    later = standin.free_starts(HOUSE, days_ahead=5)[0]

    assert first_free(standin).date() != later.date()
    assert value(later) in text_of(days(client, date=f"{later:%Y-%m-%d}"))


def test_a_page_with_all_days_checked_asks_for_nothing(client, standin):
    page = client.get(f"/time/?{urlencode(OF_FLAT)}")

    assert offered_times(page)
    assert "data-days" not in text_of(page)


def test_a_page_with_days_that_were_not_checked_says_where_they_are(client, standin, settings):
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "status", times=2)

    page = text_of(client.get(f"/time/?{urlencode(OF_FLAT)}"))

    assert 'data-days="/time/days/"' in page
    assert "показать" in page


def test_a_flat_that_is_not_listed_has_no_days(client, standin):
    assert days(client, flat="nope").status_code == 404


class TestFirstTimes:
    """A page goes out with its times; its script asks for the days after them."""

    @pytest.fixture(autouse=True)
    def one_at_a_time(self, settings, monkeypatch, standin):
        settings.MACROCRM_CONCURRENCY = 1
        monkeypatch.setattr(availability.days, "OTHERS_BUDGET", 0)
        standin.switch(latency={"getFreeTimes": 0.05})

    def shown(self, client, **more):
        return text_of(client.get(f"/time/?{urlencode({**OF_FLAT, **more})}"))

    def take(self, standin, *starts):
        for start in starts:
            standin.hand_to_a_rival(HOUSE, start)

    def test_the_other_days_are_not_waited_for(self, client, standin):
        page = self.shown(client)

        assert 'name="start"' in page
        assert 'data-days="/time/days/"' in page
        assert standin.count("getFreeTimes") < 14

    def test_full_days_are_passed_over(self, client, standin):
        full = [standin.free_starts(HOUSE, days_ahead=ahead) for ahead in (0, 1)]
        self.take(standin, *chain(*full))

        page = self.shown(client)

        assert value(standin.free_starts(HOUSE)[0]) in page

    def test_the_chosen_day_is_what_is_waited_for(self, client, standin):
        later = standin.free_starts(HOUSE, days_ahead=9)[0]

        page = self.shown(client, date=f"{later:%Y-%m-%d}")

        assert value(later) in page
        assert "data-days" in page

    def test_a_lost_time_has_all_that_are_near_it(self, client, standin):
        lost = standin.free_starts(HOUSE, days_ahead=9)[0]
        self.take(standin, lost)

        page = self.shown(client, start=f"{lost:%Y-%m-%dT%H:%M}")

        assert "data-days" not in page

    def test_the_list_alone_is_whole(self, client, standin):
        self.shown(client)

        assert "показать" not in text_of(days(client))
