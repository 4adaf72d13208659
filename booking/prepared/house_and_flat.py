"""Step 1: the choice of a house or, in a house, of a flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from booking import pages, wording
from booking.availability import Flats, House, Houses
from booking.crm import Flat
from booking.flat_numbers import folded
from booking.forms import Answers
from booking.marks import GAP, Drawn, MarkedLinks, mark
from booking.prepared.pieces import Chip, drawn_once, find_url, hidden, support

CATEGORY_LINKS = MarkedLinks("category")
HOUSE_LINKS = MarkedLinks("house")
FLAT_LINKS = MarkedLinks("flat")


@dataclass(frozen=True, slots=True)
class Tab:
    label: Promise
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class HouseCard:
    title: str
    address: str
    note: str
    url: str


def place(
    answers: Answers, listed: Houses, house: House | None, *, notice: str, search: str
) -> SafeString:
    """Step 1: the choice of a house or, in a house, of a flat.

    `notice` and `search` are markup: what is wrong, and the form for a flat's number.
    """
    own = {"notice": notice, "search": search, "find_url": find_url(answers)}
    offered, phone = tuple(settings.BOOKING_CATEGORIES), settings.SUPPORT_PHONE
    if len(offered) > 1:
        elsewhere = answers.but(category=GAP, house="", flat="")
        own |= CATEGORY_LINKS.own(elsewhere.choose_flat_url())
    if house:
        own |= FLAT_LINKS.own(answers.but(flat=GAP).after_flat_url())
        own["to_houses"] = answers.but(house="", flat="").choose_flat_url()
        drawn = _flats(answers.category, offered, house, phone, get_language())
    else:
        own |= HOUSE_LINKS.own(answers.but(house=GAP).choose_flat_url())
        drawn = _houses(answers.category, offered, listed, phone, get_language())
    return drawn.filled(own)


# With each flat that leaves the list there is another list, and each may hold 100,000 flats.
@lru_cache(maxsize=16)
def _houses(
    category: str, offered: tuple[str, ...], listed: Houses, phone: str, _language: str | None
) -> Drawn:
    context = {
        "nothing_ready": not listed.houses,
        "houses": _cards(category, listed),
        **_around_choices(category, offered, phone),
    }
    return drawn_once("booking/_choose_flat.html", context)


# A house of 500 flats is 150 kB in memory.
@lru_cache(maxsize=64)
def _flats(
    category: str, offered: tuple[str, ...], house: House, phone: str, _language: str | None
) -> Drawn:
    context = {
        "where": pages.where(house),
        "change_house_url": mark("to_houses"),
        "search": mark("search"),
        "flats": _chips(house.flats),
        "not_listed": wording.NOT_LISTED[category],
        **_around_choices(category, offered, phone),
    }
    return drawn_once("booking/_choose_flat.html", context)


def _around_choices(category: str, offered: tuple[str, ...], phone: str) -> dict[str, object]:
    return {
        "notice": mark("notice"),
        "find_url": mark("find_url"),
        "question": wording.CATEGORY_QUESTIONS[category],
        "categories": _tabs(category, offered),
        **support(phone),
    }


def search(answers: Answers, house: House, found: Sequence[Flat], error: str) -> SafeString:
    """The form for a flat's number, and the flats that the typed one may mean, error or not."""
    given = hidden(answers.but(flat="").fields("category", "house", "date", "start"))
    example = house.flats[0].label
    if not answers.flat and not error:
        return _untouched_search(answers.category, example, get_language()).filled(
            {"hidden": given}
        )
    context = {
        "label": wording.CATEGORY_LABELS[answers.category],
        "example": example,
        "hidden": given,
        "typed": answers.flat,
        "error": error,
        "matches": pages.match_links(answers, found),
    }
    return render_to_string("booking/_search.html", context)


@lru_cache(maxsize=256)
def _untouched_search(category: str, example: str, _language: str | None) -> Drawn:
    context = {
        "label": wording.CATEGORY_LABELS[category],
        "example": example,
        "hidden": mark("hidden"),
    }
    return drawn_once("booking/_search.html", context)


def _tabs(current: str, offered: Sequence[str]) -> list[Tab]:
    return [
        Tab(wording.CATEGORY_NAMES[category], CATEGORY_LINKS.to(category), category == current)
        for category in offered
        if len(offered) > 1
    ]


def _cards(category: str, listed: Houses) -> list[HouseCard]:
    return [
        HouseCard(
            wording.unbroken(house.title),
            wording.unbroken(house.address),
            wording.ready_count(category, len(house.flats)),
            HOUSE_LINKS.to(house.id),
        )
        for house in listed.houses
    ]


def _chips(flats: Flats) -> list[Chip]:
    spelled = Counter(folded(flat.label) for flat in flats)
    return [
        Chip(
            flat.label,
            FLAT_LINKS.to(flat.number),
            # "K-7" and «К-7» look the same to everybody.
            note=wording.alphabet(flat.label) if spelled[folded(flat.label)] > 1 else "",
        )
        for flat in flats
    ]
