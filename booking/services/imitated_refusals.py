"""Refuses a press for a flat with a visit ahead so that it reads like a wrong phone."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from django.utils import timezone

from booking import availability
from booking.crm import Reason
from booking.database.pool import give_back
from booking.models import HAS_VISIT, Booking, Outcome
from booking.services import settling

# A refusal without a call takes as long as one of the last ten that the CRM gave.
LIKE_THE_LAST = 10
# Older ones say less of how fast the CRM is now.
JUST_NOW = timedelta(minutes=5)
NOT_SENT_FOR_A_VISIT = "The flat has a visit ahead, so nothing was sent."


def refuse_like_a_wrong_phone(booking: Booking, *, at_most: timedelta, can_be_read: bool) -> None:
    """End a press for a flat with a visit ahead as a wrong phone would end, but without a call.

    To any but the visit's own browser it reads and takes the same, from the first moment on. While
    the day can't be read, a call would fail as well: then it ends as not sent.
    """
    outcome, reason = Outcome.REFUSED, HAS_VISIT
    if not can_be_read:
        outcome, reason = Outcome.NOT_SENT, Reason.UNREACHABLE.value
    began_at = time.monotonic()
    like = _one_of_the_last(outcome)
    if like:
        give_back()
        seconds = min(like.crm_seconds or 0, at_most.total_seconds())
        # To look for it has taken some of that.
        time.sleep(max(0, began_at + seconds - time.monotonic()))
    settling.settle(booking, outcome, reason, {"remarks": [NOT_SENT_FOR_A_VISIT]})
    if like and like.reason in settling.AMBIGUOUS_REFUSALS:
        availability.is_free(booking.house_id, booking.starts_at_local)


def _one_of_the_last(outcome: Outcome) -> Booking | None:
    answered = Booking.objects.filter(outcome=outcome, crm_seconds__isnull=False)
    now = answered.filter(created_at__gt=timezone.now() - JUST_NOW)
    last = list(now[:LIKE_THE_LAST]) or list(answered[:LIKE_THE_LAST])
    return random.choice(last) if last else None  # noqa: S311 - no secret
