"""Visits that were moved: the rows of one visit, and how the next of them is written."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from booking.models.booking import LIVE, Booking
from booking.models.booking_event import BookingEvent
from booking.models.outcome import Outcome
from booking.models.visit_state import VisitState, in_state

# What a visit keeps when only its time changes.
KEPT = ("category", "house_id", "house_title", "flat", "phone", "consent", "source", "stand_in")


def moved_from(booking: Booking) -> Booking | None:
    """The row whose visit was moved to this one's time.

    Rows from before visits could be moved may follow an earlier visit of the same flat: that one
    was not moved, or only after they were made.
    """
    before = booking.follows
    if before is None or before.moved_at is None or before.moved_at > booking.created_at:
        return None
    return before


def history(booking: Booking) -> list[Booking]:
    """The rows of a visit up to this one; the first of them is the one that the buyer made."""
    rows = [booking]
    while before := moved_from(rows[0]):
        rows.insert(0, before)
    return rows


def latest(booking: Booking) -> Booking:
    """The row that tells of the visit now."""
    while booking.moved_at is not None:
        booking = booking.followed_by.latest("pk")
    return booking


class FlatHasVisit(Exception):
    """Another visit of the flat lies ahead: it was booked after this one was over."""


def move(booking: Booking, starts_at: datetime, *, by: str, note: str) -> Booking | None:
    """Write down that a confirmed visit takes place at another time; returns the new row.

    To be called in the same turn as presses are written. None: it was moved or called off in the
    meantime. Raises FlatHasVisit.
    """
    now = timezone.now()
    of_flat = Booking.objects.of_flat(booking)
    can_be_moved = in_state(VisitState.EXPECTED, VisitState.OVER, now=now)
    with transaction.atomic():
        if not of_flat.filter(can_be_moved, pk=booking.pk, anonymised_at=None).update(moved_at=now):
            return None
        if of_flat.filter(LIVE, starts_at__gt=now).exists():
            raise FlatHasVisit
        of_flat.filter(holds_flat=True).update(holds_flat=False)
        booking.refresh_from_db()
        after = Booking.objects.create(
            key=uuid.uuid4(),
            outcome=Outcome.CONFIRMED,
            holds_flat=True,
            follows=booking,
            written_by=by,
            starts_at=starts_at,
            time_zone=str(starts_at.tzinfo),
            created_at=now,
            deadline_at=now,
            settled_at=now,
            **{name: getattr(booking, name) for name in KEPT},
        )
        to = starts_at.isoformat(timespec="minutes")
        booking.note(BookingEvent.Kind.MOVED, {"to": to, "by": by})
        after.note(BookingEvent.Kind.WRITTEN, {"by": by, "note": note})
    return after
