"""What the templates are given: links, rows and forms made of answers and availability."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import language, models, wording
from booking.availability import House
from booking.crm import Flat
from booking.forms import WALL_TIME, Answers
from booking.models import Booking, ChangeRequest, VisitState


@dataclass(frozen=True, slots=True)
class Link:
    label: str | Promise
    url: str
    is_main: bool = False
    note: str = ""


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


# Step 1


def match_links(answers: Answers, flats: Iterable[Flat]) -> list[Link]:
    """Numbers that meet in what was typed; they may differ by nothing but their alphabet."""
    return [
        Link(
            flat.label,
            answers.but(flat=flat.number).after_flat_url(),
            note=wording.alphabet(flat.label),
        )
        for flat in flats
    ]


def where(house: House) -> str:
    return wording.unbroken(", ".join(filter(None, (house.title or house.id, house.address))))


# Steps 2 and 3


def chosen_rows(house: House, name: str, to_houses: str, to_flats: str) -> list[Row]:
    """The answers to step 1, with the way back to each; `name` is what is received."""
    return [
        Row(_("House"), where(house), to_houses, _("Change the house"), lang=language.of_texts()),
        Row(_("What you receive"), name, to_flats, _("Change what you receive")),
    ]


def time_row(start: datetime, to_times: str) -> Row:
    when = wording.day_and_time(start)
    return Row(_("Day and time"), when, to_times, _("Change day and time"))


def house_clock(moment: datetime) -> HouseClock:
    return HouseClock(wording.zone_note(moment), moment)


def time_links(answers: Answers, starts: Iterable[datetime]) -> list[Link]:
    """Times that may be of several days: each names its day."""
    return [Link(wording.day_and_time(start), _confirm_url(answers, start)) for start in starts]


def _confirm_url(answers: Answers, start: datetime) -> str:
    return answers.but(start=start.strftime(WALL_TIME), date="").confirm_url()


# The booking's own page

# Refusals after which the same answers may do.
RETRY_LABELS = {
    "resolved": gettext_lazy("Book again"),
    "busy": gettext_lazy("Try again"),
    "misconfigured": gettext_lazy("Try again"),
}


def booking_context(booking: Booking) -> dict[str, Any]:
    """What the page tells of a booking and its visit, whoever looks."""
    house = models.House.about(booking.house_id)
    before = booking.moved_from if booking.is_to_come else None
    return {
        "booking": booking,
        "state": booking.state,
        "title": wording.title(booking),
        "lead": wording.lead(booking),
        "moved_from": wording.moved_from(before) if before else "",
        "rows": booking_rows(booking, house),
        "clock": house_clock(booking.starts_at_local),
        "directions": house.directions,
        "bring": wording.what_to_bring(house.bring),
        "brings_own": bool(house.bring.strip()),
        "can_call": bool(whom_to_call(house)),
    }


def booking_rows(booking: Booking, house: models.House) -> list[Row]:
    """What was booked; when and where to come only if somebody may be expected."""
    if booking.state is VisitState.MOVED:
        return []
    is_off = booking.state is VisitState.CALLED_OFF
    lasts = house.visit_lasts
    when = "" if is_off else wording.day_and_times(booking.starts_at_local, lasts)
    address = "" if is_off else wording.unbroken(house.address)
    theirs = language.of_texts()
    phone = whom_to_call(house)
    rows = [
        Row(_("Day and time"), when),
        Row(_("House"), wording.unbroken(booking.house_title or booking.house_id), lang=theirs),
        Row(_("Address"), address, house.map_url, _("Open the map"), lang=theirs),
        Row(_("What you receive"), wording.object_name(booking.category, booking.flat)),
        Row(_("How long it takes"), "" if is_off else wording.how_long(lasts)),
        Row(_("Phone you gave"), wording.masked_phone(booking.phone)),
        Row(_("Booking number"), booking.reference, lang=theirs),
        Row(_("Whom to call"), phone, value_url=wording.tel(phone)),
    ]
    return [row for row in rows if row.value]


def whom_to_call(house: models.House) -> str:
    return house.phone or settings.SUPPORT_PHONE


def other_time(booking: Booking, wanted: datetime | None) -> str:
    """What to tell a buyer who asked for `wanted` and had a booking of the flat already."""
    if not booking.is_live or wanted is None or wanted == booking.starts_at:
        return ""
    return wording.not_booked_too(booking, wanted)


def booking_actions(booking: Booking) -> list[Link]:
    """What can be done from a booking's page."""
    answers = Answers.of(booking)
    to_times = answers.but(date=answers.start[:10], start="").choose_time_url()
    calendar = Link(_("Update the calendar"), reverse("booking:calendar", args=[booking.key]))
    if booking.state is VisitState.MOVED:
        now = booking.latest().get_absolute_url()
        return [Link(_("Open the page of the visit"), now, is_main=True), calendar]
    if booking.state is VisitState.CALLED_OFF:
        return [Link(_("Choose another time"), to_times, is_main=True), calendar]
    if booking.state is VisitState.OVER:
        return [Link(_("Book again"), answers.but(start="").choose_time_url(), is_main=True)]
    if booking.state is not VisitState.REFUSED:
        return []
    if booking.reason == "slot_taken":
        return [Link(_("Choose another time"), to_times, is_main=True)]
    if label := RETRY_LABELS.get(booking.reason):
        return [Link(label, answers.confirm_url(), is_main=True)]
    return [
        Link(_("Check the phone number and try again"), answers.confirm_url(), is_main=True),
        Link(_("Find your booking"), reverse("booking:find_booking")),
        Link(_("Change what you receive"), answers.but(flat="").choose_flat_url()),
    ]


def change_shown(request: ChangeRequest) -> ChangeShown:
    zone = request.booking.starts_at_local.tzinfo
    asked = wording.change_asked(request.kind, request.asked_at.astimezone(zone))
    return ChangeShown(asked, request.wish, request.answer)
