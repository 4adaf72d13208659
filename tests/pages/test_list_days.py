"""The days of step 2 alone, which its script asks for when some were not checked in time."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.journey import FLAT, HOUSE, first_free, offered_times, text_of

pytestmark = pytest.mark.django_db
OF_FLAT = {"category": "flat", "house": HOUSE, "flat": FLAT}


def days(client, **more):
    return client.get(f"/time/days/?{urlencode({**OF_FLAT, **more})}")


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
    assert f'name="start" value="{later:%Y-%m-%dT%H:%M}"' in text_of(
        days(client, date=f"{later:%Y-%m-%d}")
    )


def test_a_page_with_all_days_checked_asks_for_nothing(client, standin):
    page = client.get(f"/time/?{urlencode(OF_FLAT)}")

    assert offered_times(page)
    assert "data-days" not in text_of(page)


def test_a_page_with_days_that_were_not_checked_says_where_they_are(client, standin, settings):
    settings.MACROCRM_CONCURRENCY = 1
    standin.fail("getFreeTimes", "status", times=2)

    page = text_of(client.get(f"/time/?{urlencode(OF_FLAT)}"))

    assert 'data-days="/time/days/"' in page
    assert "узнать" in page


def test_a_flat_that_is_not_listed_has_no_days(client, standin):
    assert days(client, flat="nope").status_code == 404
