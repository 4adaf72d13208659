"""Books a handover: journal first, one call, honest outcome. Only this changes a booking."""

from __future__ import annotations

import logging
import random
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, limits, turns
from booking.crm import AddOutcome, AddReply, Reason, Visit
from booking.gateway import crm_client
from booking.models import HAS_VISIT, Booking, BookingEvent, ChangeRequest, Outcome, moves

logger = logging.getLogger(__name__)

# What a worker needs beside the call itself: writing the journal twice while the database is busy.
BOOKKEEPING = timedelta(seconds=45)
HELD_UP = AddReply(
    outcome=AddOutcome.NOT_SENT,
    reason=Reason.UNREACHABLE,
    remarks=("This process was held up for so long that nothing was sent.",),
)
# Refusals that a time taken by somebody else in the meantime would explain.
PERHAPS_TAKEN = {Reason.SLOT_TAKEN, Reason.DECLINED}
# A refusal without a call takes as long as one of the last ten that the CRM gave.
LIKE_THE_LAST = 10
# Older ones say less of how fast the CRM is now.
JUST_NOW = timedelta(minutes=5)
NOT_SENT_FOR_A_VISIT = "The flat has a visit ahead, so nothing was sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a buyer asks for when the button is pressed.

    `starts_at` is aware, in the house's zone. `known` are the bookings that this browser has made.
    """

    key: uuid.UUID
    category: str
    house_id: str
    house_title: str
    flat: str
    starts_at: datetime
    phone: PhoneNumber
    consent: str = ""
    source: dict[str, str] = field(default_factory=dict)
    client_address: str | None = None
    stand_in: bool = False
    known: tuple[Booking, ...] = ()

    def is_of(self, booking: Booking) -> bool:
        """Whether these are the answers that booking was made with."""
        return all(getattr(self, name) == getattr(booking, name) for name in Booking.ANSWERS)

    def with_own_key(self) -> Order:
        """The order under a key of its own answers: the same form corrected is another booking."""
        answers = (self.category, self.house_id, self.flat, self.starts_at.isoformat(), self.phone)
        return replace(self, key=uuid.uuid5(self.key, "\n".join(map(str, answers))))

    def to_booking(self) -> Booking:
        """The row to be written."""
        return Booking(
            key=self.key,
            category=self.category,
            house_id=self.house_id,
            house_title=self.house_title,
            flat=self.flat,
            starts_at=self.starts_at,
            time_zone=str(self.starts_at.tzinfo),
            phone=self.phone,
            consent=self.consent,
            source=self.source,
            client_address=self.client_address,
            stand_in=self.stand_in,
            deadline_at=timezone.now() + _patience(),
        )

    def knows(self, booking: Booking) -> bool:
        """Whether this browser made a booking, here or in another tab, and may see its page."""
        own = {self.key, *(each.key for each in self.known)}
        return booking.key in own or booking.is_press_of(self.to_booking())

    def check_limits(self, new: Booking) -> None:
        """Raises TooManyTries."""
        booked = (each for each in self.known if each.outcome == Outcome.CONFIRMED)
        is_proven = any(each.same_flat == new.same_flat for each in booked)
        limits.check(new, is_proven=is_proven)


def book(order: Order) -> Booking:
    """The order's booking: opened and settled now, or the one that already stands for it.

    The row and its "sending" event are committed before the first byte leaves, so whatever dies
    afterwards, the row is there; it turns to "in doubt" by itself after its deadline. The CRM is
    called once at most, whatever comes of it, and only for a time that is offered, or may be while
    its day can't be read. Raises TooManyTries and leaves nothing behind.
    """
    order = _under_a_free_key(order)
    new = order.to_booking()
    standing = Booking.objects.in_the_way_of(new)
    if standing is not None and order.knows(standing):
        return _standing(standing, order)
    try:
        order.check_limits(new)
    except limits.TooManyTries:
        # The same press, sent twice at once, may have landed since that look.
        standing = Booking.objects.in_the_way_of(new)
        if standing is None or not order.knows(standing):
            raise
        return _standing(standing, order)
    try:
        is_offered = availability.is_offered(order.house_id, order.starts_at)
    except availability.StillReading:
        limits.refuse(new, limits.Limit.DAY_IS_BEING_READ)
    if is_offered is False:
        return Booking.objects.refuse(new, Reason.SLOT_TAKEN, order.check_limits)
    booking, is_new = Booking.objects.open(new, check=order.check_limits, knows=order.knows)
    if not is_new:
        return _standing(booking, order)
    if booking.reason == HAS_VISIT:
        return _refused_for_a_visit(booking, can_be_read=is_offered is not None)
    return _sent(booking, was_free=is_offered)


def _sent(booking: Booking, was_free: bool | None) -> Booking:
    """One call, and what came of it written down."""
    reply = HELD_UP if _is_too_late(booking) else crm_client().add(_visit(booking))
    is_settled = _settle(booking, reply)
    availability.forget(booking.house_id, booking.starts_at_local.date())
    if is_settled:
        _look_again_if_possible(booking, was_free)
    return booking


def _refused_for_a_visit(booking: Booking, *, can_be_read: bool) -> Booking:
    """End a press for a flat with a visit ahead as a wrong phone would end, but without a call.

    To any but the visit's own browser it reads and takes the same, from the first moment on. While
    the day can't be read, a call would fail as well: then it ends as not sent.
    """
    outcome, reason = Outcome.REFUSED, HAS_VISIT
    if not can_be_read:
        outcome, reason = Outcome.NOT_SENT, Reason.UNREACHABLE.value
    answered = Booking.objects.filter(outcome=outcome, crm_seconds__isnull=False)
    now = answered.filter(created_at__gt=timezone.now() - JUST_NOW)
    last = list(now[:LIKE_THE_LAST]) or list(answered[:LIKE_THE_LAST])
    like = random.choice(last) if last else None  # noqa: S311 - no secret
    if like:
        time.sleep(min(like.crm_seconds or 0, _longest_call().total_seconds()))
    booking.settle(outcome, reason, {"remarks": [NOT_SENT_FOR_A_VISIT]})
    availability.forget(booking.house_id, booking.starts_at_local.date())
    if like and like.reason in PERHAPS_TAKEN:
        availability.is_free(booking.house_id, booking.starts_at_local)
    return booking


def book_again(
    booking: Booking, client_address: str | None, known: tuple[Booking, ...] = ()
) -> Booking | None:
    """The same answers once more, after one that was not sent. Pressed twice, it books once.

    None: its time can't be booked any more.
    """
    if booking.outcome != Outcome.NOT_SENT:
        return booking
    order = replace(_once_more(booking, client_address), known=known)
    made = find(order.key)
    wall, zone = booking.starts_at_local.replace(tzinfo=None), ZoneInfo(booking.time_zone)
    if made or availability.bookable_moment(wall, zone) is None:
        return made
    return book(order)


def resolve(booking: Booking, *, was_booked: bool, by: str, note: str) -> bool:
    """Staff tell what they found out about a booking in doubt. False: it is not in doubt."""
    outcome = Outcome.CONFIRMED if was_booked else Outcome.REFUSED
    resolved = booking.resolve(outcome, by=by, note=note)
    if resolved:
        logger.info("Booking %s: resolved as %s by %s", booking.reference, outcome, by)
    return resolved


def look_into(booking: Booking, *, by: str, note: str) -> None:
    """Staff have cared for somebody who is refused again and again; this was the last refusal."""
    booking.note(BookingEvent.Kind.LOOKED_INTO, {"by": by, "note": note})


def ask_for_change(booking: Booking, kind: ChangeRequest.Kind, wish: str) -> bool:
    """Take a buyer's wish to move or cancel a visit.

    False: one waits for its answer already, or staff have just moved the visit or called it off.
    """
    try:
        with transaction.atomic():
            turns.take("press")
            booking.refresh_from_db()
            if not booking.is_to_come:
                return False
            booking.change_requests.create(kind=kind, wish=wish)
            booking.note(BookingEvent.Kind.CHANGE_ASKED, {"wish": kind, "words": wish})
    except IntegrityError:
        return False
    return True


def answer_change(
    request: ChangeRequest,
    *,
    answer: str,
    by: str,
    calls_off: bool = False,
    moved_to: datetime | None = None,
) -> bool:
    """Staff answer a buyer's wish. False: it has been answered already.

    `calls_off`: the visit will not take place, and the flat may be booked anew. `moved_to`: it
    takes place at that time. Raises FlatHasVisit where the flat has another one ahead.
    """
    booking = request.booking
    with transaction.atomic():
        turns.take("press")
        changed = booking.change_requests.filter(pk=request.pk, answered_at=None).update(
            answer=answer, answered_by=by, answered_at=timezone.now()
        )
        if not changed:
            return False
        facts = {"answer": answer, "by": by, "called_off": calls_off}
        booking.note(BookingEvent.Kind.CHANGE_ANSWERED, facts)
        if calls_off:
            booking.call_off()
        if moved_to and moves.move(booking, moved_to, by=by, note=answer) is None:
            transaction.set_rollback(True)
            return False
    return True


def settle_overdue() -> list[Booking]:
    """Every booking left "sending" past its deadline becomes in doubt; returns those that did now.

    Safe to run anywhere at any time: the database lets only one caller change each row.
    """
    overdue = Booking.objects.filter(outcome=Outcome.SENDING, deadline_at__lt=timezone.now())
    return [booking for booking in overdue if booking.lose_track()]


def gather_evidence() -> list[Booking]:
    """Look at the time of every booking in doubt that nobody has looked at; returns those."""
    looked_at = BookingEvent.objects.filter(booking=OuterRef("pk"), kind=BookingEvent.Kind.EVIDENCE)
    bookings = list(
        Booking.objects.filter(~Exists(looked_at), outcome=Outcome.IN_DOUBT).filter(
            starts_at__gt=timezone.now()
        )
    )
    for booking in bookings:
        _look_again(booking, was_free=None)
    return bookings


def find(key: uuid.UUID) -> Booking | None:
    """The booking with this key, in doubt if it is past its deadline; None once anonymised."""
    booking = Booking.objects.filter(key=key, anonymised_at=None).first()
    return None if booking is None else with_deadline_kept(booking)


def with_deadline_kept(booking: Booking) -> Booking:
    if booking.outcome == Outcome.SENDING:
        booking.lose_track()
    return booking


def _once_more(booking: Booking, client_address: str | None) -> Order:
    return Order(
        key=uuid.uuid5(booking.key, "again"),
        category=booking.category,
        house_id=booking.house_id,
        house_title=booking.house_title,
        flat=booking.flat,
        starts_at=booking.starts_at_local,
        phone=booking.phone,
        consent=booking.consent,
        source=booking.source,
        client_address=client_address,
        stand_in=booking.stand_in,
    )


def _under_a_free_key(order: Order) -> Order:
    """A form that was refused, corrected and sent once more still carries its old key."""
    used = Booking.objects.filter(key=order.key).first()
    if used is None or used.is_live or order.is_of(used):
        return order
    return order.with_own_key()


def _standing(booking: Booking, order: Order) -> Booking:
    booking = with_deadline_kept(booking)
    facts = {"starts_at": order.starts_at.isoformat(timespec="minutes")}
    kind = BookingEvent.Kind.ASKED_AGAIN
    # Once for each start: a form can be sent any number of times.
    if not order.is_of(booking) and not booking.events.filter(kind=kind, facts=facts).exists():
        booking.note(kind, facts)
    return booking


def _patience() -> timedelta:
    """How long a booking may be "sending" before nobody can still be working on it."""
    return _longest_call() + BOOKKEEPING


def _longest_call() -> timedelta:
    return timedelta(seconds=settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT)


def _is_too_late(booking: Booking) -> bool:
    """Whether a call begun now could last beyond the deadline.

    Then this process was held up (a machine put to sleep), and by now somebody may have found out
    that nothing is booked and let the buyer book anew.
    """
    return timezone.now() + _longest_call() > booking.deadline_at


def _visit(booking: Booking) -> Visit:
    return Visit(
        house_id=booking.house_id,
        flat=booking.flat,
        category=booking.category,
        starts_at=booking.starts_at_local,
        phone=booking.phone.as_e164,
    )


def _settle(booking: Booking, reply: AddReply) -> bool:
    # The connection has waited for as long as the CRM took: it is looked at once more before use,
    # as at the start of a request, and one that broke meanwhile is replaced.
    connection.health_check_done = False  # type: ignore[attr-defined]  # missing in the stubs
    try:
        booking.settle(Outcome(reply.outcome.value), reply.reason.value, _facts(reply))
    except Error:
        # The row stays "sending" and turns to "in doubt" by its deadline: true, if less than known.
        logger.exception(
            "Booking %s ended %s but could not be settled", booking.reference, reply.outcome
        )
        return False
    logger.info("Booking %s: %s %s", booking.reference, booking.outcome, booking.reason)
    return True


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


def _look_again_if_possible(booking: Booking, was_free: bool | None) -> None:
    """Evidence is no reason to hide from the buyer what is already settled."""
    try:
        _look_again(booking, was_free)
    except Error:
        logger.exception("Booking %s: no evidence could be written", booking.reference)


def _look_again(booking: Booking, was_free: bool | None) -> None:
    """Gather evidence after a doubtful or refused booking: is the time free now, was it before?

    Evidence is a likelihood, never a verdict (A22). For a refusal it tells a time taken in the
    meantime from a phone that does not match, without reading the CRM's words.
    """
    perhaps_taken = booking.outcome == Outcome.REFUSED and booking.reason in PERHAPS_TAKEN
    if not perhaps_taken and booking.outcome != Outcome.IN_DOUBT:
        return
    is_free = availability.is_free(booking.house_id, booking.starts_at_local)
    if is_free is None:
        return
    booking.note(BookingEvent.Kind.EVIDENCE, {"was_free": was_free, "is_free": is_free})
    if perhaps_taken:
        taken = not is_free
        if taken != (booking.reason == Reason.SLOT_TAKEN):
            booking.explain_refusal(Reason.SLOT_TAKEN if taken else Reason.DECLINED)
