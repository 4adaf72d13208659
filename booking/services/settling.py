"""Settles what became of a booking: by the CRM's reply, its deadline, or a person."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from booking import availability
from booking.crm import AddReply, Reason
from booking.models import HAS_VISIT, Booking, BookingEvent, Outcome

logger = logging.getLogger(__name__)

# A booking whose outcome a reply of the CRM may still decide.
OPEN = (Outcome.SENDING, Outcome.IN_DOUBT)
# Refusals that a time taken by another buyer in the meantime would explain.
AMBIGUOUS_REFUSALS = {Reason.SLOT_TAKEN, Reason.DECLINED}


# By the CRM's reply


def settle_by(booking: Booking, reply: AddReply) -> None:
    try:
        settle(booking, Outcome(reply.outcome.value), reply.reason.value, _facts(reply))
    except Error:
        # The row stays "sending" and turns to "in doubt" by its deadline: true, if less than known.
        logger.exception(
            "Booking %s ended %s but could not be settled", booking.reference, reply.outcome
        )
    else:
        logger.info("Booking %s: %s %s", booking.reference, booking.outcome, booking.reason)


def settle(booking: Booking, outcome: Outcome, reason: str, facts: dict[str, Any]) -> None:
    """Write what became of the booking, with its event.

    A booking that a person has settled in the meantime keeps that outcome; the late reply is still
    put on its trail.
    """
    values = {
        "outcome": outcome,
        "reason": reason,
        "settled_at": timezone.now(),
        "crm_seconds": facts.get("seconds"),
    }
    facts = {**facts, "reason": reason}
    if not _change(booking, values, BookingEvent.Kind(outcome), facts, outcome__in=OPEN):
        booking.note(BookingEvent.Kind.LATE_ANSWER, {**facts, "outcome": outcome})


def _change(
    booking: Booking,
    values: dict[str, Any],
    kind: BookingEvent.Kind,
    facts: dict[str, Any],
    **condition: Any,
) -> bool:
    """Change the row, with its event, if the condition still holds. The booking shows the row."""
    with transaction.atomic():
        changed = Booking.objects.filter(pk=booking.pk, **condition).update(**values)
        if changed:
            booking.note(kind, facts)
        if changed and values["outcome"] == Outcome.CONFIRMED and booking.follows:
            _finish_move(booking, booking.follows)
    if not changed:
        booking.refresh_from_db()
        return False
    for name, value in values.items():
        setattr(booking, name, value)
    return True


def _finish_move(booking: Booking, visit: Booking) -> None:
    """A booking that was sent to move a visit is confirmed, so the visit is moved.

    Dated by the press: two rows may follow a visit, and `Booking.moved_from` tells by that which
    one moved it.
    """
    standing = Booking.objects.filter(pk=visit.pk, moved_at=None, called_off_at=None)
    if standing.filter(starts_at__gt=booking.created_at).update(moved_at=booking.created_at):
        to = booking.starts_at_local.isoformat(timespec="minutes")
        visit.note(BookingEvent.Kind.MOVED, {"to": to})
        visit.refresh_from_db()


def _facts(reply: AddReply) -> dict[str, Any]:
    """What staff may read of the CRM's reply."""
    return {
        "http_status": reply.http_status,
        "status_code": reply.status_code,
        "message": reply.message,
        "reference": reply.reference,
        "seconds": round(reply.seconds, 3),
        "remarks": list(reply.remarks),
    }


# By its deadline


def settle_overdue() -> list[Booking]:
    """Every booking left "sending" past its deadline becomes in doubt; returns those that did now.

    Safe to run anywhere at any time: the database lets only one caller change each row.
    """
    overdue = Booking.objects.filter(outcome=Outcome.SENDING, deadline_at__lt=timezone.now())
    return [booking for booking in overdue if mark_in_doubt(booking)]


def with_deadline_kept(booking: Booking) -> Booking:
    if booking.outcome == Outcome.SENDING:
        mark_in_doubt(booking)
    return booking


def mark_in_doubt(booking: Booking) -> bool:
    """In doubt from now on, if it is past its deadline and not settled.

    A press that was not to be sent is refused instead, and False.
    """
    outcome, reason = Outcome.IN_DOUBT, "deadline"
    if booking.reason == HAS_VISIT:
        outcome, reason = Outcome.REFUSED, HAS_VISIT
    now = timezone.now()
    values = {"outcome": outcome, "reason": reason, "settled_at": now}
    facts = {"reason": reason}
    is_overdue = {"outcome": Outcome.SENDING, "deadline_at__lt": now}
    changed = _change(booking, values, BookingEvent.Kind(outcome), facts, **is_overdue)
    return changed and outcome == Outcome.IN_DOUBT


# By what can be seen of its time


def collect_missing_evidence() -> list[Booking]:
    """Look at the time of every booking in doubt that has none; returns those."""
    looked_at = BookingEvent.objects.filter(booking=OuterRef("pk"), kind=BookingEvent.Kind.EVIDENCE)
    bookings = list(
        Booking.objects.filter(~Exists(looked_at), outcome=Outcome.IN_DOUBT).filter(
            starts_at__gt=timezone.now()
        )
    )
    for booking in bookings:
        collect_evidence(booking, was_free=None)
    return bookings


def collect_evidence_if_possible(booking: Booking, was_free: bool | None) -> None:
    """Evidence is no reason to hide from the buyer what is already settled."""
    try:
        collect_evidence(booking, was_free)
    except Error:
        logger.exception("Booking %s: no evidence could be written", booking.reference)


def collect_evidence(booking: Booking, was_free: bool | None) -> None:
    """After a doubtful or refused booking: is the time free now, was it before?

    Evidence is a likelihood, never a verdict (A22). For a refusal it tells a time taken in the
    meantime from a phone that does not match, without reading the CRM's words.
    """
    is_ambiguous = booking.outcome == Outcome.REFUSED and booking.reason in AMBIGUOUS_REFUSALS
    if not is_ambiguous and booking.outcome != Outcome.IN_DOUBT:
        return
    is_free = availability.is_free(booking.house_id, booking.starts_at_local)
    if is_free is None:
        return
    booking.note(BookingEvent.Kind.EVIDENCE, {"was_free": was_free, "is_free": is_free})
    if is_ambiguous:
        set_refusal_reason(booking, Reason.DECLINED if is_free else Reason.SLOT_TAKEN)


def set_refusal_reason(booking: Booking, reason: str) -> None:
    """Name the cause of a refusal more closely."""
    Booking.objects.filter(pk=booking.pk, outcome=Outcome.REFUSED).update(reason=reason)
    booking.refresh_from_db()


# By a person


def resolve(booking: Booking, *, was_booked: bool, by: str, note: str) -> bool:
    """Staff tell what they found out about a booking in doubt. False: it is not in doubt."""
    outcome = Outcome.CONFIRMED if was_booked else Outcome.REFUSED
    values = {"outcome": outcome, "reason": "resolved", "settled_at": timezone.now()}
    facts = {"outcome": outcome, "by": by, "note": note}
    in_doubt = {"outcome": Outcome.IN_DOUBT, "moved_at": None, "called_off_at": None}
    if not _change(
        booking, values, BookingEvent.Kind.RESOLVED, facts, anonymised_at=None, **in_doubt
    ):
        return False
    logger.info("Booking %s: resolved as %s by %s", booking.reference, outcome, by)
    return True


def correct(booking: Booking, *, was_booked: bool, by: str, note: str) -> bool:
    """Staff correct what a person found out. False: there is nothing to correct."""
    outcome = Outcome.CONFIRMED if was_booked else Outcome.REFUSED
    other = Outcome.REFUSED if was_booked else Outcome.CONFIRMED
    values = {"outcome": outcome, "settled_at": timezone.now()}
    resolved = {"outcome": other, "reason": "resolved", "moved_at": None, "called_off_at": None}
    facts = {"outcome": outcome, "by": by, "note": note}
    with transaction.atomic():
        changed = _change(
            booking, values, BookingEvent.Kind.CORRECTED, facts, anonymised_at=None, **resolved
        )
        if changed and not was_booked and booking.follows:
            # The visit that it was to move stands, after all.
            moved = Booking.objects.filter(pk=booking.follows.pk, moved_at=booking.created_at)
            moved.update(moved_at=None)
    if changed:
        logger.info("Booking %s: corrected to %s by %s", booking.reference, outcome, by)
    return changed


def dismiss(booking: Booking, *, by: str, note: str) -> None:
    """Staff have cared for a buyer who is refused again and again; this was the last refusal."""
    booking.note(BookingEvent.Kind.LOOKED_INTO, {"by": by, "note": note})
