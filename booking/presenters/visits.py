"""What the pages of a booking and of a request are given: plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, calendar_links, ics, language, models, wording
from booking.availability import ReadyHouse
from booking.models import Booking, ChangeRequest, VisitState
from booking.presenters.steps import Link, Row, confirm_form, house_clock, recap
from booking.query import WALL_TIME, BookingQuery

# Two visits in two houses should leave time for the way.
WAY_BETWEEN_HOUSES = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """A wish to move or cancel, and what staff have answered ("" so far)."""

    asked: str
    wish: str
    answer: str


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


def visit_links(bookings: Iterable[Booking]) -> list[Link]:
    """Bookings that a browser has made, each with what became of it."""
    return [Link(wording.visit_in_a_line(each), each.get_absolute_url()) for each in bookings]


def clashing(booking: Booking, others: Iterable[Booking]) -> list[Link]:
    """Other visits at the same time, or too soon before or after it in another house."""
    if not booking.is_to_come:
        return []
    return visit_links(each for each in others if each.is_to_come and _clash(booking, each))


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
