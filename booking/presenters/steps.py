"""What the templates of the three steps are given: plain data."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from booking import language, wording
from booking.availability import Day, DayState, ReadyHouse, ReadyHouses
from booking.crm import ListedFlat
from booking.flat_numbers import common_beginning, folded
from booking.forms import ConfirmForm
from booking.query import WALL_TIME, BookingQuery

# More of them on one day are shown by the part of the day.
FEW_TIMES = 8
DAYS_IN_ROW = 7
# As many numbers as a screen or two hold; more are grouped as they stand in the house.
FEW_FLATS = 24
# A number of the public example has three parts: section, floor, flat.
PARTS_OF_NUMBER = 3
# On the average. With fewer, a floor of four flats, headings take more room than they save.
LEAST_IN_GROUP = 10


@dataclass(frozen=True, slots=True)
class Link:
    label: str | Promise
    url: str
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One answer, where it leads, and where it is changed."""

    label: str
    value: str
    change_url: str = ""
    change_label: str = ""
    value_url: str = ""
    lang: str = ""  # of the value, if it is another than the page's


@dataclass(frozen=True, slots=True)
class Recap:
    """A line of what has been chosen: an answer, its house, and where it is changed."""

    label: str
    value: str
    house: str
    change_url: str
    change_label: str


@dataclass(frozen=True, slots=True)
class HouseClock:
    """Which wall time a page shows, and what a browser needs to compare its own with it."""

    note: str
    moment: datetime  # aware, in the house's zone

    @property
    def iso(self) -> str:
        return self.moment.isoformat(timespec="seconds")

    @property
    def offset_minutes(self) -> int:
        """East of UTC, at that moment."""
        return int((self.moment.utcoffset() or timedelta()).total_seconds() // 60)


# Steps 1 and 2: what can be chosen. A button sends its `value` by the name of the answer.


@dataclass(frozen=True, slots=True)
class Choice:
    """A button that gives an answer; `full_label` names it to screen readers."""

    value: str
    label: str
    note: str = ""
    full_label: str = ""


@dataclass(frozen=True, slots=True)
class FlatGroup:
    """Numbers that begin alike: of one section or floor. Without a beginning where they don't."""

    beginning: str
    flats: list[Choice]


@dataclass(frozen=True, slots=True)
class HouseCard:
    id: str
    title: str
    address: str
    note: str


@dataclass(frozen=True, slots=True)
class Tab:
    label: Promise
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day; the short texts are what a phone has room for, seven in a row."""

    date: str
    state: DayState
    is_current: bool
    weekday: str
    short_weekday: str
    day: str
    short_day: str
    note: str
    short_note: str
    # Whether the times of the open day come next, after its row.
    ends_row: bool


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """Times of a part of the day; without a label where they are few."""

    label: str
    times: list[Choice]


def category_tabs(query: BookingQuery) -> list[Tab]:
    """The kinds of property to choose from; none where only one is offered."""
    offered = settings.BOOKING_CATEGORIES
    if len(offered) == 1:
        return []
    elsewhere = query.replace(house="", flat="")
    return [
        Tab(
            wording.CATEGORY_NAMES[category],
            elsewhere.replace(category=category).choose_flat_url(),
            is_current=category == query.category,
        )
        for category in offered
    ]


def house_cards(category: str, houses: ReadyHouses) -> list[HouseCard]:
    return [
        HouseCard(
            house.id,
            wording.unbroken(house.title),
            wording.unbroken(house.address),
            wording.ready_count(category, len(house.flats)),
        )
        for house in houses.houses
    ]


def flat_groups(flats: Sequence[ListedFlat]) -> list[FlatGroup]:
    """The numbers of a house, by the first parts that tell some of them from others."""
    choices = _flat_choices(flats)
    for parts in range(1, PARTS_OF_NUMBER) if len(choices) > FEW_FLATS else ():
        groups = _beginning_alike(choices, parts)
        if 1 < len(groups) <= len(choices) / LEAST_IN_GROUP:
            return groups
    return [FlatGroup("", choices)]


def _beginning_alike(choices: Sequence[Choice], parts: int) -> list[FlatGroup]:
    groups = groupby(choices, lambda each: common_beginning(each.label, parts))
    return [FlatGroup(beginning, list(alike)) for beginning, alike in groups]


def _flat_choices(flats: Sequence[ListedFlat]) -> list[Choice]:
    spelled = Counter(folded(flat.label) for flat in flats)
    return [
        Choice(
            flat.number,
            flat.label,
            # "K-7" and «К-7» look the same to everybody.
            wording.alphabet(flat.label) if spelled[folded(flat.label)] > 1 else "",
        )
        for flat in flats
    ]


def match_choices(flats: Iterable[ListedFlat]) -> list[Choice]:
    """Numbers that meet in what was typed; they may differ by nothing but their alphabet."""
    return [Choice(flat.number, flat.label, wording.alphabet(flat.label)) for flat in flats]


def day_cells(days: Sequence[Day], opened: Day | None) -> list[DayCell]:
    place = days.index(opened) if opened else -1
    last_of_row = min(place - place % DAYS_IN_ROW + DAYS_IN_ROW, len(days)) - 1
    return [
        DayCell(
            date=day.date.isoformat(),
            state=day.state,
            is_current=day is opened,
            weekday=wording.weekday(day.date),
            short_weekday=wording.short_weekday(day.date),
            day=wording.day_and_month(day.date),
            short_day=str(day.date.day),
            note=wording.day_note(day),
            short_note=wording.short_day_note(day),
            ends_row=opened is not None and number == last_of_row,
        )
        for number, day in enumerate(days)
    ]


def time_groups(starts: Sequence[datetime]) -> list[TimeGroup]:
    """The times of one day, by its parts if they are many."""
    if len(starts) <= FEW_TIMES:
        parts = [("", list(starts))] if starts else []
    else:
        parts = [(label, list(part)) for label, part in groupby(starts, wording.part_of_day)]
    return [TimeGroup(label, [_time(start) for start in part]) for label, part in parts]


def nearest_choices(starts: Iterable[datetime]) -> list[Choice]:
    """Times that may be of several days: each names its day."""
    return [Choice(start.strftime(WALL_TIME), wording.day_and_time(start)) for start in starts]


def _time(start: datetime) -> Choice:
    return Choice(
        start.strftime(WALL_TIME), wording.clock(start), full_label=wording.day_and_time(start)
    )


# What was chosen so far


def where(house: ReadyHouse) -> str:
    """The house with its address, unless its title names that already."""
    title = house.title or house.id
    address = "" if wording.names(title, house.address) else house.address
    return wording.unbroken(", ".join(filter(None, (title, address))))


def recap(
    query: BookingQuery, house: ReadyHouse, flat: str = "", start: datetime | None = None
) -> list[Recap]:
    """The answers so far, in a line or two, with the way back to each; the last one is Back."""
    if not flat:
        to_houses = query.replace(house="", flat="").choose_flat_url()
        return [Recap(_("House"), "", where(house), to_houses, _("Change the house"))]
    name = wording.short_name(query.category, flat)
    title = wording.unbroken(wording.without_brackets(house.title or house.id))
    to_flats = query.replace(flat="").choose_flat_url()
    lines = [Recap(_("What you receive"), name, title, to_flats, _("Change what you receive"))]
    if start:
        when = f"{wording.day_and_time(start)} {wording.in_zone(start)}"
        to_times = day_url(query, start.date())
        lines.append(Recap(_("Day and time"), when, "", to_times, _("Change day and time")))
    return lines


def about_visit(house: ReadyHouse) -> list[Row]:
    """Where to come, for how long and with what, for one who has not chosen a time yet."""
    theirs = language.of_texts()
    address = wording.unbroken(house.address) or where(house)
    papers = wording.enumerated(wording.what_to_bring(house.bring))
    lang = theirs if house.bring.strip() else ""
    rows = [
        Row(_("Where to come"), address, house.map_url, _("Open the map"), lang=theirs),
        Row(_("How long it takes"), wording.how_long(house.visit_lasts)),
        Row(_("What to bring"), papers, lang=lang),
    ]
    return [row for row in rows if row.value]


def day_url(query: BookingQuery, day: date | None) -> str:
    """Step 2 with this day opened; "" without a day."""
    return query.replace(date=day.isoformat(), start="").choose_time_url() if day else ""


def confirm_form(
    query: BookingQuery, start: datetime, form: ConfirmForm | None = None
) -> dict[str, Any]:
    """The form that books; without `form` the untouched one."""
    return {
        "action": query.confirm_url(),
        "hidden": query.fields("category", "house", "flat", "start"),
        "form": form,
        "key": form["key"].value() if form else uuid.uuid4(),
        "submit_label": _("Book for {when}").format(when=wording.for_day_at(start)),
    }


def house_clock(moment: datetime) -> HouseClock:
    return HouseClock(wording.zone_note(moment), moment)
