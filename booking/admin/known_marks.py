"""The marks of links that buyers came by, found without reading the log through."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache

from booking.models import Booking

# A link may say anything; more are more than anybody picks from.
MOST = 50
REMEMBERED_SECONDS = 60


def marks() -> list[str]:
    return cache.get_or_set("desk:marks", lambda: list(_each()), REMEMBERED_SECONDS) or []


def _each() -> Iterator[str]:
    """Skips from mark to mark along the index."""
    bookings = Booking.objects.order_by("mark", "-created_at", "-pk")
    last: str | None = ""
    for _ in range(MOST):
        last = bookings.filter(mark__gt=last).values_list("mark", flat=True).first()
        if last is None:
            return
        yield last
