"""How often one may try, counted from the journal: across restarts and workers.

The phone is the only thing that proves a right to book, so guessing it is limited per flat and per
client address; what one address may book at all is limited too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from booking.models import Booking, Outcome

logger = logging.getLogger(__name__)

# Outcomes that a wrong phone may have led to, or may yet lead to.
GUESSES = Q(outcome=Outcome.REFUSED, reason__in=("no_match", "declined")) | Q(
    outcome=Outcome.SENDING
)


class TooManyTries(Exception):
    """The limit is reached until `until` (aware)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"no more tries before {until:%H:%M:%S}")
        self.until = until


class Asked(Protocol):
    """What is counted of an order."""

    @property
    def category(self) -> str: ...
    @property
    def house_id(self) -> str: ...
    @property
    def flat(self) -> str: ...
    @property
    def client_address(self) -> str | None: ...


def check(asked: Asked) -> None:
    """Raises TooManyTries when this order would be one too many."""
    window = timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)
    since = timezone.now() - window
    for name, tries, most in _counts(asked):
        times = tries.filter(created_at__gt=since).order_by("-created_at")
        # The try whose leaving the window makes room for this one.
        standing = times.values_list("created_at", flat=True)[most - 1 : most]
        if standing:
            logger.warning("Limit of %s reached for house %s", name, asked.house_id)
            raise TooManyTries(standing[0] + window)


def _counts(asked: Asked) -> Iterator[tuple[str, QuerySet[Booking], int]]:
    guesses = Booking.objects.filter(GUESSES)
    of_flat = guesses.filter(category=asked.category, house_id=asked.house_id, flat=asked.flat)
    yield "guesses for a flat", of_flat, settings.LIMIT_REFUSED_PER_FLAT
    if asked.client_address:
        of_address = Q(client_address=asked.client_address)
        yield (
            "guesses of an address",
            guesses.filter(of_address),
            settings.LIMIT_REFUSED_PER_ADDRESS,
        )
        bookings = Booking.objects.filter(of_address)
        yield "bookings of an address", bookings, settings.LIMIT_BOOKINGS_PER_ADDRESS
