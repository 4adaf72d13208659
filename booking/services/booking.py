"""Books a visit: journal first, one call, honest outcome."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, rate_limits, turns
from booking.availability import ReadyHouse
from booking.crm import AddOutcome, AddReply, AddRequest, Reason
from booking.crm_client import crm_client
from booking.database.pool import give_back
from booking.models import (
    HAS_VISIT,
    HOLDING,
    Booking,
    BookingEvent,
    Outcome,
    VisitState,
    in_state,
)
from booking.rate_limits import Limit, Try
from booking.services import imitated_refusals, settling

# What a worker needs beside the call itself: writing the journal twice while the database is busy.
DEADLINE_SLACK = timedelta(seconds=45)
STALE_WORKER = AddReply(
    outcome=AddOutcome.NOT_SENT,
    reason=Reason.UNREACHABLE,
    remarks=("This process was held up for so long that nothing was sent.",),
)
# How long a doubt keeps other phones from booking the flat.
DOUBT_KEEPS_OUT = timedelta(minutes=30)
# A new row may meet one of the same flat, or at 100,000 bookings one in 170 a number in use.
TRIES_TO_INSERT = 3


class VisitChanged(Exception):
    """A visit that was to be moved has been moved or cancelled, or is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What a buyer asks for by pressing the button.

    `starts_at` is aware, in the house's zone. `known` are the bookings that this browser has made.
    `moves` is the visit that takes place at `starts_at` instead (MACROCRM_ADD_MOVES).
    """

    key: uuid.UUID
    category: str
    house: ReadyHouse
    flat: str
    starts_at: datetime
    phone: PhoneNumber
    consent: str = ""
    source: dict[str, str] = field(default_factory=dict)
    client_address: str | None = None
    stand_in: bool = False
    known: tuple[Booking, ...] = ()
    moves: Booking | None = None

    def matches(self, booking: Booking) -> bool:
        """Whether a booking was made with these answers."""
        return all(getattr(self, name) == getattr(booking, name) for name in Booking.ANSWERS)

    def knows(self, booking: Booking) -> bool:
        """Whether this browser made a booking, here or in another tab, and may see its page."""
        is_same_move = self.moves is not None and booking.follows_id == self.moves.pk
        is_made_here = booking.key == self.key or booking in self.known
        return is_made_here or is_same_move or self.is_in_another_tab(booking)

    def is_in_another_tab(self, booking: Booking) -> bool:
        """Whether the same answers are being sent for the same address.

        While a call is under way, no cookie can tell which browser pressed.
        """
        return (
            booking.outcome == Outcome.SENDING
            and booking.client_address is not None
            and booking.client_address == self.client_address
            and self.matches(booking)
        )

    @property
    def house_id(self) -> str:
        return self.house.id

    @property
    def same_flat(self) -> dict[str, str]:
        return {"category": self.category, "house_id": self.house_id, "flat": self.flat}

    @property
    def is_proven(self) -> bool:
        """Whether this browser has booked the flat before."""
        booked = (each for each in self.known if each.outcome == Outcome.CONFIRMED)
        return any(each.same_flat == self.same_flat for each in booked)

    @property
    def key_of_answers(self) -> uuid.UUID:
        """For a form that is corrected and sent under its old key: another booking."""
        answers = (self.category, self.house_id, self.flat, self.starts_at.isoformat(), self.phone)
        return uuid.uuid5(self.key, "\n".join(map(str, answers)))

    def to_booking(self) -> Booking:
        """The row to be written."""
        return Booking(
            key=self.key,
            **self.same_flat,
            house_title=self.house.title,
            starts_at=self.starts_at,
            time_zone=str(self.starts_at.tzinfo),
            phone=self.phone,
            consent=self.consent,
            source=self.source,
            client_address=self.client_address,
            stand_in=self.stand_in,
            follows=self.moves,
            deadline_at=timezone.now() + _longest_call() + DEADLINE_SLACK,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the way of a request: the one home of this rule.

    `booking` is its own one, by key or in another tab, else the visit ahead that keeps its phone
    from the flat. `holds_flat`: a row, maybe of a visit that is over, has the flat's constraint.
    """

    booking: Booking | None
    is_being_booked: bool
    holds_flat: bool


def book(request: BookingRequest) -> Booking:
    """The request's booking: opened and settled now, or the one that already stands for it.

    The row and its "sending" event are committed before the first byte leaves, so whatever dies
    afterwards, the row is there; it turns to "in doubt" by itself after its deadline. The CRM is
    called once at most, and only for a time that is offered, or whose day can't be read. Raises
    TooManyTries and leaves nothing behind.
    """
    try:
        return _book(request)
    except rate_limits.TooManyTries:
        # The same press, sent twice at once, may have landed since that was looked at.
        request, standing = _with_unused_key(request)
        if standing.booking is None or not request.knows(standing.booking):
            raise
        return _asked_again(standing.booking, request)


def _book(request: BookingRequest) -> Booking:
    request, standing = _with_unused_key(request)
    if standing.booking and request.knows(standing.booking):
        return _asked_again(standing.booking, request)
    new = request.to_booking()
    tries = _check_limits(request, new, standing)
    try:
        is_offered = availability.is_offered(request.house, request.starts_at)
    except availability.StillReading:
        rate_limits.refuse(new, Limit.DAY_IS_BEING_READ)
    booking, created = _create_or_get(request, new, standing, tries, is_taken=is_offered is False)
    if not created:
        return _asked_again(booking, request)
    if booking.outcome == Outcome.REFUSED:
        return booking
    if booking.reason == HAS_VISIT:
        imitated_refusals.refuse_like_a_wrong_phone(
            booking, at_most=_longest_call(), can_be_read=is_offered is not None
        )
    else:
        _send(booking, was_free=is_offered)
    return booking


def move(
    visit: Booking,
    starts_at: datetime,
    *,
    key: uuid.UUID,
    client_address: str | None,
    known: tuple[Booking, ...] = (),
) -> Booking:
    """Move a visit by a second `add`, where that moves it (MACROCRM_ADD_MOVES).

    Returns the row of the new time, whatever came of it; the visit stands until that is confirmed.
    Raises TooManyTries, and VisitChanged where it was moved or cancelled in the meantime.
    """
    # It proves the right to the flat, in whatever browser its page is open.
    known = (visit, *known)
    return book(_request_like(visit, starts_at, key, client_address, known, moves=visit))


def book_again(
    booking: Booking, client_address: str | None, known: tuple[Booking, ...] = ()
) -> Booking | None:
    """The same answers once more, after one that was not sent. Pressed twice, it books once.

    None: its time can't be booked any more. Raises as `book` and `move` do.
    """
    if booking.outcome != Outcome.NOT_SENT:
        return booking
    key = uuid.uuid5(booking.key, "again")
    made = find(key)
    start = booking.starts_at_local
    if made or availability.bookable_moment(start.replace(tzinfo=None), _zone(booking)) is None:
        return made
    moves = booking.follows if booking.is_move else None
    return book(_request_like(booking, start, key, client_address, known, moves=moves))


def _request_like(
    booking: Booking,
    starts_at: datetime,
    key: uuid.UUID,
    client_address: str | None,
    known: tuple[Booking, ...],
    moves: Booking | None,
) -> BookingRequest:
    """A request with a booking's answers, but for its time."""
    house = availability.unlisted(booking.house_id, booking.house_title)
    return BookingRequest(
        key=key,
        category=booking.category,
        house=replace(house, zone=_zone(booking)),
        flat=booking.flat,
        starts_at=starts_at,
        phone=booking.phone,
        consent=booking.consent,
        source=booking.source,
        client_address=client_address,
        stand_in=booking.stand_in,
        known=known,
        moves=moves,
    )


def _zone(booking: Booking) -> ZoneInfo:
    return ZoneInfo(booking.time_zone)


def find(key: uuid.UUID) -> Booking | None:
    """The booking with this key, in doubt if it is past its deadline; None once anonymised."""
    return next(iter(find_all([key])), None)


def find_all(keys: Sequence[uuid.UUID]) -> list[Booking]:
    """As `find`, in the order of the keys."""
    found = Booking.objects.filter(key__in=keys, anonymised_at=None) if keys else ()
    by_key = {booking.key: settling.with_deadline_kept(booking) for booking in found}
    return [by_key[key] for key in keys if key in by_key]


def in_the_way_of(request: BookingRequest) -> Standing:
    """What stands in the way now, by one query."""
    now = timezone.now()
    of_flat = Q(Q(outcome__in=HOLDING) | Q(holds_flat=True), **request.same_flat)
    rows = list(Booking.objects.filter(of_flat | Q(key=request.key)).order_by("-pk"))
    own = (row for row in rows if row.key == request.key or request.is_in_another_tab(row))
    others = [row for row in rows if row != request.moves]
    ahead = (row for row in others if row.is_live and row.starts_at > now)
    visits = (row for row in ahead if keeps_out(row, request.phone))
    return Standing(
        booking=next(own, None) or next(visits, None),
        is_being_booked=any(
            row.outcome == Outcome.SENDING and row.deadline_at > now
            for row in others
            if row.key != request.key
        ),
        holds_flat=any(row.holds_flat for row in rows),
    )


def keeps_out(visit: Booking, phone: PhoneNumber) -> bool:
    """Whether a live booking of a visit ahead keeps a phone from booking the same flat.

    A doubt keeps out its own phone. Other phones are kept out for half an hour, or until a look
    shows its time still free: else a stranger who presses while the CRM stumbles would shut out the
    owner.
    """
    since = visit.in_doubt_since
    if since is None or visit.phone == phone:
        return True
    seen_free = visit.events.filter(kind=BookingEvent.Kind.EVIDENCE, facts__is_free=True)
    return since > timezone.now() - DOUBT_KEEPS_OUT and not seen_free.exists()


def _with_unused_key(request: BookingRequest) -> tuple[BookingRequest, Standing]:
    """A form that was refused, corrected and sent once more still carries its old key."""
    standing = in_the_way_of(request)
    used = standing.booking
    if used is None or used.key != request.key or used.is_live or request.matches(used):
        return request, standing
    request = replace(request, key=request.key_of_answers)
    return request, in_the_way_of(request)


def _check_limits(
    request: BookingRequest, new: Booking, standing: Standing, seen: Sequence[Try] = ()
) -> list[Try]:
    """Raises TooManyTries.

    How another press for the flat ends is not known; to call it a visit would refuse an owner for a
    stranger's try.
    """
    tries = rate_limits.check(new, is_proven=request.is_proven, seen=seen)
    if standing.is_being_booked:
        rate_limits.refuse(new, Limit.FLAT_IS_BEING_BOOKED)
    return tries


def _create_or_get(
    request: BookingRequest,
    new: Booking,
    standing: Standing,
    seen: Sequence[Try],
    *,
    is_taken: bool,
) -> tuple[Booking, bool]:
    """Insert the booking, or return the one that its browser knows. Returns (booking, created).

    A constraint decides between two presses at once, for every worker. So where nothing held the
    flat at the first look, there is no second one before it was refused.
    """
    for attempt in range(TRIES_TO_INSERT):
        try:
            with transaction.atomic(durable=True):
                turns.take("press")
                if request.moves and not _still_stands(request.moves):
                    raise VisitChanged
                if attempt or standing.booking or standing.holds_flat:
                    standing = in_the_way_of(request)
                if standing.booking and request.knows(standing.booking):
                    return standing.booking, False
                _check_limits(request, new, standing, seen)
                _insert(new, standing, is_taken=is_taken)
        except IntegrityError:
            # A press at the same moment was first, or the number is in use: look once more.
            new.pk, new.reference = None, ""
        else:
            return new, True
    raise IntegrityError("a booking that can neither be opened nor found")


def _still_stands(visit: Booking) -> bool:
    expected = in_state(VisitState.EXPECTED, now=timezone.now())
    return Booking.objects.filter(expected, pk=visit.pk).exists()


def _insert(new: Booking, standing: Standing, *, is_taken: bool) -> None:
    """In `sending`, with the flat held; refused if its time is taken.

    With a visit in the way its reason says from the start that nothing may be sent.
    """
    if is_taken:
        new.outcome, new.reason, new.settled_at = Outcome.REFUSED, Reason.SLOT_TAKEN, timezone.now()
        new.save(force_insert=True)
        new.note(BookingEvent.Kind.REFUSED, {"reason": new.reason})
        return
    new.reason = HAS_VISIT if standing.booking else ""
    new.holds_flat = standing.booking is None
    if new.holds_flat and standing.holds_flat:
        # From visits that are over, and doubts that have let go of the flat.
        Booking.objects.of_flat(new).filter(holds_flat=True).update(holds_flat=False)
    new.save(force_insert=True)
    if new.holds_flat:
        new.events.create(kind=BookingEvent.Kind.SENDING)


def _send(booking: Booking, was_free: bool | None) -> None:
    """One call, and what came of it written down.

    A refusal has changed nothing of the day: to read it anew would let wrong phones use up the
    calls that pages need.
    """
    give_back()
    reply = STALE_WORKER if _is_too_late(booking) else crm_client().add(_add_request(booking))
    settling.settle_by(booking, reply)
    if booking.outcome in HOLDING:
        for row in filter(None, (booking, booking.follows)):
            availability.forget(booking.house_id, row.starts_at_local.date())
    settling.collect_evidence_if_possible(booking, was_free)


def _is_too_late(booking: Booking) -> bool:
    """Whether a call begun now could last beyond the deadline.

    Then this process was held up (a machine put to sleep), and by now staff may have found out that
    nothing is booked and let the buyer book anew.
    """
    return timezone.now() + _longest_call() > booking.deadline_at


def _longest_call() -> timedelta:
    return timedelta(seconds=settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT)


def _add_request(booking: Booking) -> AddRequest:
    return AddRequest(
        **booking.same_flat,
        starts_at=booking.starts_at_local,
        phone=booking.phone.as_e164,
    )


def _asked_again(booking: Booking, request: BookingRequest) -> Booking:
    """The booking that a request is led to, with what else was asked for on its trail."""
    booking = settling.with_deadline_kept(booking)
    facts = {"starts_at": request.starts_at.isoformat(timespec="minutes")}
    kind = BookingEvent.Kind.ASKED_AGAIN
    # Once for each start: a form can be sent any number of times.
    if not request.matches(booking) and not booking.events.filter(kind=kind, facts=facts).exists():
        booking.note(kind, facts)
    return booking
