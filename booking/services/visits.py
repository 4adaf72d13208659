"""Moves and cancels visits, as staff answer to a buyer's wish or do it for a caller."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from booking import turns
from booking.models import (
    LIVE,
    Booking,
    BookingEvent,
    ChangeRequest,
    Outcome,
    VisitState,
    in_state,
)

# What a visit keeps when only its time changes.
KEPT = ("category", "house_id", "house_title", "flat", "phone", "consent", "source", "stand_in")


class FlatHasVisit(Exception):
    """Another visit of the flat lies ahead: it was booked after this one was over."""


def answer(
    request: ChangeRequest,
    *,
    answer: str,
    by: str,
    cancels: bool = False,
    moved_to: datetime | None = None,
) -> bool:
    """Staff answer a buyer's wish. False: it has been answered already.

    `cancels`: the visit will not take place, and the flat may be booked anew. `moved_to`: it takes
    place at that time. Raises FlatHasVisit where the flat has another one ahead.
    """
    booking = request.booking
    with transaction.atomic():
        turns.take("press")
        changed = booking.change_requests.filter(pk=request.pk, answered_at=None).update(
            answer=answer, answered_by=by, answered_at=timezone.now()
        )
        if not changed:
            return False
        facts = {"answer": answer, "by": by, "called_off": cancels}
        booking.note(BookingEvent.Kind.CHANGE_ANSWERED, facts)
        if cancels:
            cancel_visit(booking)
        if moved_to and move(booking, moved_to, by=by, note=answer) is None:
            transaction.set_rollback(True)
            return False
    return True


def change(booking: Booking, *, by: str, note: str, moved_to: datetime | None = None) -> bool:
    """Staff move a visit for a caller or, without `moved_to`, cancel it. The CRM is not called.

    False: it was moved or cancelled in the meantime, or the buyer asks for something, which is
    answered instead. Raises FlatHasVisit.
    """
    with transaction.atomic():
        turns.take("press")
        booking.refresh_from_db()
        if not booking.is_booked or booking.change_requests.waiting().exists():
            return False
        if moved_to:
            return move(booking, moved_to, by=by, note=note) is not None
        cancel_visit(booking)
        booking.note(BookingEvent.Kind.CALLED_OFF, {"by": by, "note": note})
    return True


def cancel_visit(booking: Booking) -> None:
    """The visit will not take place; the flat and phone may book anew."""
    standing = Booking.objects.filter(pk=booking.pk, called_off_at=None, moved_at=None)
    standing.update(called_off_at=timezone.now())
    booking.refresh_from_db()


def move(booking: Booking, starts_at: datetime, *, by: str, note: str) -> Booking | None:
    """Write down that a confirmed visit takes place at another time; returns the new row.

    To be called in the same turn as presses are written. None: it was moved or cancelled in the
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
            reference=Booking.objects.unused_reference(),
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
