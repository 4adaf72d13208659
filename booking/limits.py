"""How often one may try, counted from the journal: across restarts and workers.

The phone is the only thing that proves a right to book, so guessing it is limited per flat and per
client address; what one address may book at all is limited too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from booking import turns
from booking.models import Booking, Outcome

logger = logging.getLogger(__name__)

# Outcomes that a wrong phone may have led to, or may yet lead to.
GUESSES = Q(outcome=Outcome.REFUSED, reason__in=("no_match", "declined", "resolved")) | Q(
    outcome=Outcome.SENDING
)
# The CRM may answer a wrong phone with words that leave it open. Not counted of an address, where
# a CRM that is out of order would shut out everybody behind one mobile operator.
GUESSES_OR_DOUBTS = GUESSES | Q(outcome=Outcome.IN_DOUBT)


class TooManyTries(Exception):
    """The limit is reached until `until` (aware, in wall time of the house)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"no more tries before {until:%H:%M:%S}")
        self.until = until


def check(tried: Booking) -> None:
    """Raises TooManyTries when this booking would be one too many.

    To be called in a transaction, after the booking has been written if it is to stay: of tries at
    once, each then counts those before it.
    """
    window = timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)
    recent = Booking.objects.filter(created_at__gt=timezone.now() - window).exclude(pk=tried.pk)
    for name, of_what, counted, most in _limits(tried):
        turns.take(f"{name} {of_what}")
        times = recent.filter(counted).order_by("-created_at")
        # The try whose leaving the window makes room for this one.
        standing = times.values_list("created_at", flat=True)[most - 1 : most]
        if standing:
            logger.warning("Limit of %s reached for house %s", name, tried.house_id)
            raise TooManyTries((standing[0] + window).astimezone(ZoneInfo(tried.time_zone)))


def _limits(tried: Booking) -> Iterator[tuple[str, str, Q, int]]:
    """What a limit is called, of which flat or address it is, what it counts, and the limit."""
    place = {"category": tried.category, "house_id": tried.house_id, "flat": tried.flat}
    of_flat = "\n".join(place.values())
    guesses = GUESSES_OR_DOUBTS & Q(**place)
    yield "guesses for a flat", of_flat, guesses, settings.LIMIT_REFUSED_PER_FLAT
    if address := tried.client_address:
        from_there = Q(client_address=address)
        most_guesses = settings.LIMIT_REFUSED_PER_ADDRESS
        yield "guesses of an address", address, GUESSES & from_there, most_guesses
        yield "bookings of an address", address, from_there, settings.LIMIT_BOOKINGS_PER_ADDRESS
