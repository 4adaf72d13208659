"""The state of a visit, of one booking and as a query condition."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from booking.models.outcome import Outcome

if TYPE_CHECKING:
    from booking.models.booking import Booking


class VisitState(models.TextChoices):
    """The outcome of a booking; for a confirmed one, what became of the visit."""

    SENDING = "sending", Outcome.SENDING.label
    EXPECTED = "expected", pgettext_lazy("visit", "expected")
    OVER = "over", pgettext_lazy("visit", "over")
    MOVED = "moved", pgettext_lazy("visit", "moved")
    CALLED_OFF = "called_off", pgettext_lazy("visit", "called off")
    REFUSED = "refused", Outcome.REFUSED.label
    NOT_SENT = "not_sent", Outcome.NOT_SENT.label
    IN_DOUBT = "in_doubt", Outcome.IN_DOUBT.label


NEITHER_MOVED_NOR_OFF = Q(moved_at=None, called_off_at=None)


def state_of(booking: Booking, now: datetime) -> VisitState:
    if booking.moved_at is not None:
        return VisitState.MOVED
    if booking.called_off_at is not None:
        return VisitState.CALLED_OFF
    if booking.outcome == Outcome.CONFIRMED:
        return VisitState.EXPECTED if booking.starts_at > now else VisitState.OVER
    return VisitState(booking.outcome)


def in_state(*states: VisitState, now: datetime) -> Q:
    """The condition on bookings for which `state_of` returns one of these states."""
    conditions = [_condition(state, now) for state in states]
    return Q(*conditions, _connector=Q.OR)


def _condition(state: VisitState, now: datetime) -> Q:
    if state is VisitState.MOVED:
        return Q(moved_at__isnull=False)
    if state is VisitState.CALLED_OFF:
        return Q(moved_at=None, called_off_at__isnull=False)
    if state is VisitState.EXPECTED:
        return NEITHER_MOVED_NOR_OFF & Q(outcome=Outcome.CONFIRMED, starts_at__gt=now)
    if state is VisitState.OVER:
        return NEITHER_MOVED_NOR_OFF & Q(outcome=Outcome.CONFIRMED, starts_at__lte=now)
    return NEITHER_MOVED_NOR_OFF & Q(outcome=state.value)
