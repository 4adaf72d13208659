"""Parts of pages that are alike for everybody, but for what stands inside the links.

On such pages the template is the cost: a list of days takes longer to draw than to find out. Two
buyers see the same list, save that its links carry each one's own answers. So a list is drawn once
for all, with marks in the places of those answers, and kept for as long as its content is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Self
from urllib.parse import quote_plus
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from booking import wording
from booking.availability import Day, DayState, Flats, Houses
from booking.forms import WALL_TIME, Answers, ConfirmForm, shown_now

# More of them on one day are shown by the part of the day.
FEW_TIMES = 8
# Characters of the private use area: no address has them, and a text that has spoils but itself.
GAP = "\ue000"
KEY, SHOWN = "\ue001", "\ue002"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that differ in one answer: what stands before it and after it."""

    before: str
    after: str

    @classmethod
    def through(cls, url: str) -> Self:
        """By an address with GAP for the answer."""
        before, _gap, after = url.partition(quote_plus(GAP))
        return cls(before, after)

    def to(self, answer: str) -> str:
        return f"{self.before}{quote_plus(answer)}{self.after}"


# What a list is drawn with, before anybody's own take their place.
MARKED = Links("\ue001", "\ue002")
MARKED_TIMES = Links("\ue003", "\ue004")


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


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str
    full_label: str = ""


@dataclass(frozen=True, slots=True)
class DayRow:
    weekday: str
    day: str
    full_label: str
    state: DayState
    note: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """Times of a part of the day; without a label where they are few."""

    label: str
    times: list[Chip]


@dataclass(frozen=True, slots=True)
class DayWithTimes:
    full_label: str
    state: DayState
    explanation: str
    groups: list[TimeGroup]


# Step 1


def categories(answers: Answers) -> SafeString:
    """A choice of category, where there is one."""
    own = Links.through(Answers(category=GAP, source=answers.source).choose_flat_url())
    offered = tuple(settings.BOOKING_CATEGORIES)
    markup = _categories(offered, answers.category, get_language()) if len(offered) > 1 else ""
    return _filled(markup, (MARKED, own))


def houses(answers: Answers, listed: Houses) -> SafeString:
    """The choice of a house, and what to do if it is not among them."""
    own = Links.through(answers.but(house=GAP).choose_flat_url())
    markup = _houses(listed, answers.category, settings.SUPPORT_PHONE, get_language())
    return _filled(markup, (MARKED, own))


def flats(answers: Answers, listed: Flats) -> SafeString:
    """The same of a flat."""
    own = Links.through(answers.but(flat=GAP).choose_time_url())
    return _filled(_flats(listed, settings.SUPPORT_PHONE, get_language()), (MARKED, own))


@lru_cache(maxsize=16)
def _categories(offered: tuple[str, ...], current: str, _language: str | None) -> str:
    tabs = [
        Tab(wording.CATEGORY_NAMES[category], MARKED.to(category), category == current)
        for category in offered
    ]
    return render_to_string("booking/_categories.html", {"categories": tabs})


@lru_cache(maxsize=32)
def _houses(listed: Houses, category: str, phone: str, _language: str | None) -> str:
    cards = [
        HouseCard(
            house.title,
            house.address,
            wording.ready_count(category, len(house.flats)),
            MARKED.to(house.id),
        )
        for house in listed.houses
    ]
    return render_to_string("booking/_houses.html", {"houses": cards, **_support(phone)})


@lru_cache(maxsize=64)
def _flats(listed: Flats, phone: str, _language: str | None) -> str:
    chips = [Chip(flat.label, MARKED.to(flat.number)) for flat in listed]
    return render_to_string("booking/_flats.html", {"flats": chips, **_support(phone)})


def _support(phone: str) -> dict[str, str]:
    """Whom to call, as every page has it."""
    return {"support_phone": phone, "support_phone_href": wording.tel(phone)}


# Step 2


def days(answers: Answers, shown: Sequence[Day], opened: Day | None) -> SafeString:
    """The days, with the times of the one that is opened."""
    own = Links.through(answers.but(date=GAP, start="").choose_time_url())
    own_times = Links.through(answers.but(start=GAP, date="").confirm_url())
    markup = _days(tuple(shown), opened, timezone.localdate().year, get_language())
    return _filled(markup, (MARKED, own), (MARKED_TIMES, own_times))


@lru_cache(maxsize=256)
def _days(
    shown: tuple[Day, ...], opened: Day | None, _this_year: int, _language: str | None
) -> str:
    context = {
        "days": [_day_row(day, is_current=day is opened) for day in shown],
        "day": _with_times(opened) if opened else None,
    }
    return render_to_string("booking/_days.html", context)


def _day_row(day: Day, *, is_current: bool) -> DayRow:
    note = wording.day_note(day)
    return DayRow(
        weekday=wording.short_weekday(day.date),
        day=wording.day_and_month(day.date),
        full_label=f"{wording.day_in_words(day.date)}, {note}",
        state=day.state,
        note=note,
        url=MARKED.to(day.date.isoformat()),
        is_current=is_current,
    )


def _with_times(day: Day) -> DayWithTimes:
    return DayWithTimes(
        full_label=wording.day_in_words(day.date),
        state=day.state,
        explanation=day.explanation,
        groups=_time_groups(day.starts),
    )


def _time_groups(starts: Sequence[datetime]) -> list[TimeGroup]:
    if len(starts) <= FEW_TIMES:
        parts = [("", starts)] if starts else []
    else:
        by_part = groupby(starts, key=wording.part_of_day)
        parts = [(label, list(of_part)) for label, of_part in by_part]
    return [TimeGroup(label, [_time(start) for start in of_part]) for label, of_part in parts]


def _time(start: datetime) -> Chip:
    url = MARKED_TIMES.to(start.strftime(WALL_TIME))
    return Chip(wording.clock(start), url, wording.day_and_time(start))


# Step 3


def untouched_fields(key: UUID) -> SafeString:
    """The form's fields as they are for who has not filled in anything."""
    markup = _untouched_fields(get_language())
    return _safe(markup.replace(KEY, str(key)).replace(SHOWN, escape(shown_now())))


@lru_cache(maxsize=8)
def _untouched_fields(_language: str | None) -> str:
    return fields(ConfirmForm(initial={"key": KEY, "shown": SHOWN}))


def fields(form: ConfirmForm) -> SafeString:
    return render_to_string("booking/_fields.html", {"form": form})


def _filled(markup: str, *links: tuple[Links, Links]) -> SafeString:
    """With one's own links, escaped, in the places of the marked ones."""
    for marked, own in links:
        markup = markup.replace(marked.before, escape(own.before))
        markup = markup.replace(marked.after, escape(own.after))
    return _safe(markup)


def _safe(markup: str) -> SafeString:
    return mark_safe(markup)  # noqa: S308 - a template's, and what was put into it was escaped
