"""What step 1 understands of a typed number, and what it suggests after a miss."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from standin.fixtures import Flat
from tests.journey import HOUSE, offered, text_of
from tests.number_spellings import ASKED_BACK, MEANT, NUMBERS, UNKNOWN

pytestmark = pytest.mark.django_db

SPELLINGS = [(typed, number) for number, spelled in MEANT.items() for typed in spelled]


@pytest.fixture(autouse=True)
def hard_house(standin):
    flats = tuple(Flat("flat", number) for number in NUMBERS)
    standin.build([replace(standin.houses[HOUSE], flats=flats)])


def typed_into(client, typed):
    return client.get("/", {"category": "flat", "house": HOUSE, "flat": typed})


def suggested(page) -> set[str]:
    head = text_of(page).partition('class="search"')[0]
    return {number for number in NUMBERS if f'name="flat" value="{number}"' in head}


def test_there_are_as_many_spellings_as_promised():
    assert len(SPELLINGS) + len(ASKED_BACK) + len(UNKNOWN) >= 120


def test_a_spelling_leads_on(client):
    missed = {}
    for typed, number in SPELLINGS:
        page = typed_into(client, typed)
        if not page.headers.get("Location", "").endswith(f"flat={quote_plus(number)}"):
            missed[typed] = suggested(page)
    assert missed == {}


def test_what_may_mean_several_is_asked_back(client):
    asked = {typed: suggested(typed_into(client, typed)) for typed in ASKED_BACK}

    assert asked == ASKED_BACK


def test_nothing_is_suggested_where_nothing_fits(client):
    pages = {typed: typed_into(client, typed) for typed in UNKNOWN}

    assert [typed for typed, page in pages.items() if suggested(page)] == []
    assert all("нет среди готовых" in text_of(page) for page in pages.values())


def test_where_numbers_are_not_listed_none_is_told(client, settings):
    settings.BOOKING_LIST_NUMBERS = False

    assert offered(client.get("/", {"category": "flat", "house": HOUSE})) == []
    assert suggested(typed_into(client, "1.8")) == set()
    assert typed_into(client, "кв. 12").status_code == 302
    # Both are what was typed: one can't know which without being told.
    assert suggested(typed_into(client, "к-7")) == {"К-7", "K-7"}
