"""What the templates are given: plain data made of a query, availability and bookings."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, calendar_links, ics, language, models, wording
from booking.availability import Day, DayState, ReadyHouse, ReadyHouses
from booking.crm import ListedFlat
from booking.flat_numbers import common_beginning, folded
from booking.forms import ConfirmForm
from booking.models import Booking, ChangeRequest, VisitState
from booking.query import WALL_TIME, BookingQuery

# More of them on one day are shown by the part of the day.
FEW_TIMES = 8
DAYS_IN_ROW = 7
# Two visits in two houses should leave time for the way.
WAY_BETWEEN_HOUSES = timedelta(minutes=30)
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


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """A wish to move or cancel, and what staff have answered ("" so far)."""

    asked: str
    wish: str
    answer: str


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


# The booking's own page

# Refusals after which the same answers may do.
RETRY_LABELS = {
    "resolved": gettext_lazy("Book again"),
    "busy": gettext_lazy("Try again"),
    "misconfigured": gettext_lazy("Try again"),
}


def booking_context(booking: Booking) -> dict[str, Any]:
    """What the page tells of a booking and its visit, whoever looks."""
    house = models.House.for_id(booking.house_id)
    before = booking.moved_from if booking.is_to_come else None
    move = booking.move_in_question()
    return {
        "booking": booking,
        "move": move,
        "is_expected": booking.is_to_come and not move,
        # Of a visit that may have moved, its page is as little certain as that of the new time.
        "state": VisitState.IN_DOUBT if move else booking.state,
        "title": wording.title(booking, move),
        "title_with_time": wording.title_with_time(booking, move),
        "where": wording.unbroken(house.address or booking.house_title),
        "map_url": house.map_url,
        "lead": wording.lead(booking, move),
        "moved_from": wording.moved_from(before) if before else "",
        "correction": wording.CORRECTION if booking.was_corrected() else "",
        "rows": [] if move else booking_rows(booking, house),
        "clock": house_clock(booking.starts_at_local),
        "directions": house.directions,
        "calendars": [
            Link("Google", calendar_links.google(booking, house)),
            Link("Outlook", calendar_links.outlook(booking, house)),
        ],
        "bring": wording.what_to_bring(house.bring),
        "brings_own": bool(house.bring.strip()),
        "can_call": bool(whom_to_call(house)),
    }


def booking_rows(booking: Booking, house: models.House) -> list[Row]:
    """What was booked; when and where to come only if somebody may be expected.

    Nothing of what was refused: rows would make it look like a booking.
    """
    if booking.is_failed_move or booking.state in {VisitState.MOVED, VisitState.REFUSED}:
        return []
    is_off = booking.state is VisitState.CALLED_OFF
    lasts = house.visit_lasts
    when = "" if is_off else wording.day_and_times(booking.starts_at_local, lasts)
    # Of an expected visit it stands above, in large letters.
    address = "" if is_off or booking.is_to_come else wording.unbroken(house.address)
    theirs = language.of_texts()
    phone = whom_to_call(house)
    rows = [
        Row(_("Day and time"), when),
        Row(_("House"), wording.unbroken(booking.house_title or booking.house_id), lang=theirs),
        Row(_("Address"), address, house.map_url, _("Open the map"), lang=theirs),
        Row(str(wording.CATEGORY_NAMES.get(booking.category, booking.category)), booking.flat),
        Row(_("How long it takes"), "" if is_off else wording.how_long(lasts)),
        Row(_("Phone for questions"), phone, value_url=wording.tel(phone)),
        Row(_("Phone you gave"), wording.masked_phone(booking.phone)),
        Row(_("Booking number"), booking.reference, lang=theirs),
    ]
    return [row for row in rows if row.value]


def whom_to_call(house: models.House) -> str:
    return house.phone or settings.SUPPORT_PHONE


def other_time(booking: Booking, wanted: datetime | None) -> str:
    """What to tell a buyer who asked for `wanted` and had a booking of the flat already."""
    if not booking.is_live or wanted is None or wanted == booking.starts_at:
        return ""
    return wording.not_booked_too(booking, wanted)


def can_be_moved(booking: Booking) -> bool:
    """Whether another time may be chosen: not while the last wish or move is open."""
    is_asked = booking.is_to_come and booking.change_requests.filter(answered_at=None).exists()
    return booking.is_to_come and not is_asked and booking.pending_move() is None


def move_url(visit: Booking, start: datetime | None = None) -> str:
    """The page that moves a visit; with a start, to that time."""
    path = reverse("booking:move_visit", args=[visit.key])
    return f"{path}?start={start.strftime(WALL_TIME)}" if start else path


def booking_actions(booking: Booking) -> list[Link]:
    """What can be done from a booking's page."""
    if booking.is_failed_move and booking.follows:
        visit = booking.follows.latest()
        open_visit = Link(_("Open the page of the visit"), visit.get_absolute_url(), is_main=True)
        others = [Link(_("Choose another time"), move_url(visit))] if can_be_moved(visit) else []
        return [open_visit, *others]
    query = BookingQuery.of(booking)
    to_times = query.replace(date=query.start[:10], start="").choose_time_url()
    calendar = Link(_("Update the calendar"), reverse("booking:calendar", args=[booking.key]))
    if booking.state is VisitState.MOVED:
        now = booking.latest().get_absolute_url()
        return [Link(_("Open the page of the visit"), now, is_main=True), calendar]
    if booking.state is VisitState.CALLED_OFF:
        return [Link(_("Choose another time"), to_times, is_main=True), calendar]
    if booking.state is VisitState.OVER:
        return [Link(_("Book again"), query.replace(start="").choose_time_url(), is_main=True)]
    if booking.state is not VisitState.REFUSED:
        return []
    if booking.reason == "slot_taken":
        return [Link(_("Choose another time"), to_times, is_main=True)]
    if label := RETRY_LABELS.get(booking.reason):
        return [Link(label, query.confirm_url(), is_main=True)]
    find = Link(_("Find your booking"), reverse("booking:find_booking"))
    if _bookable_start(booking):
        return [find]
    return [Link(_("Choose another time"), to_times, is_main=True), find]


def _bookable_start(booking: Booking) -> datetime | None:
    wall = booking.starts_at_local.replace(tzinfo=None)
    return availability.bookable_moment(wall, ZoneInfo(booking.time_zone))


def can_be_mended(booking: Booking) -> bool:
    """Whether another phone may do: the refusal names no other cause."""
    is_other_cause = booking.reason == "slot_taken" or booking.reason in RETRY_LABELS
    is_refused = booking.state is VisitState.REFUSED and not booking.is_move
    return is_refused and not is_other_cause


def mending(booking: Booking) -> dict[str, Any]:
    """What was refused, with the form to try another phone; nothing once its time has passed.

    The page of a booking never holds a whole phone: a script keeps the typed one in its tab.
    """
    start = _bookable_start(booking)
    if start is None or not can_be_mended(booking):
        return {}
    query = BookingQuery.of(booking)
    house = availability.unlisted(booking.house_id, booking.house_title)
    return {
        "recap": recap(query, house, booking.flat, start),
        "request_url": query.request_url(models.VisitRequest.Cause.REFUSED),
        **confirm_form(query, start),
    }


# More than one visit


def length(house: ReadyHouse | models.House) -> timedelta:
    """How long a visit takes, or is taken to."""
    return house.visit_lasts or ics.USUAL_LENGTH


def companions(booking: Booking) -> list[Link]:
    """What else the house has ready, to be booked with nothing typed again."""
    if len(settings.BOOKING_CATEGORIES) == 1:
        return []
    path = reverse("booking:book_another", args=[booking.key])
    return [
        Link(wording.CATEGORY_NAMES[category], f"{path}?category={category}")
        for category in availability.categories_of(booking.house_id)
        if category != booking.category
    ]


def visits(bookings: Iterable[Booking]) -> list[Link]:
    """Bookings that a browser has made, each with what became of it."""
    return [Link(wording.visit_in_a_line(each), each.get_absolute_url()) for each in bookings]


def clashing(booking: Booking, others: Iterable[Booking]) -> list[Link]:
    """Other visits at the same time, or too soon before or after it in another house."""
    if not booking.is_to_come:
        return []
    return visits(each for each in others if each.is_to_come and _clash(booking, each))


def _clash(one: Booking, other: Booking) -> bool:
    first, second = sorted((one, other), key=lambda each: each.starts_at)
    ends_at = first.starts_at + length(models.House.for_id(first.house_id))
    way = timedelta() if first.house_id == second.house_id else WAY_BETWEEN_HOUSES
    return second.starts_at < ends_at + way


def request_rows(asked: models.VisitRequest) -> list[Row]:
    """What was asked for, and what proves it: number and moment."""
    theirs = language.of_texts()
    rows = [
        Row(_("Number of the request"), asked.number, lang=theirs),
        Row(_("House"), wording.unbroken(asked.house_title), lang=theirs),
        Row(str(wording.CATEGORY_NAMES.get(asked.category, asked.category)), asked.flat),
        Row(_("Phone you gave"), wording.masked_phone(asked.phone)),
        Row(_("In your words"), asked.wish, lang=theirs),
    ]
    return [row for row in rows if row.value]


def change_shown(request: ChangeRequest) -> ChangeShown:
    zone = request.booking.starts_at_local.tzinfo
    asked_at = request.asked_at.astimezone(zone)
    asked = wording.change_asked(request.kind, asked_at, request.wanted_at_local)
    return ChangeShown(asked, request.wish, request.answer)
