"""The houses of the log, found without reading it through."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache

from booking.models import Booking, House

# More are more than anybody picks from; a search finds a house by its id all the same.
MOST = 200
REMEMBERED_SECONDS = 60


def titles() -> dict[str, str]:
    """The title that each house had last, by its id."""
    return cache.get_or_set("desk:houses", _read, REMEMBERED_SECONDS) or {}


def called(words: str) -> list[str]:
    """The ids of the houses whose id is this, or whose title or address holds these words."""
    words = words.casefold()
    addresses = dict(House.objects.values_list("house_id", "address"))
    return [
        house_id
        for house_id, title in titles().items()
        if house_id == words or words in f"{title}\n{addresses.get(house_id, '')}".casefold()
    ]


def _read() -> dict[str, str]:
    found = sorted(_newest_of_each(), key=lambda house: house[1])
    return dict(found)


def _newest_of_each() -> Iterator[tuple[str, str]]:
    """Skips from house to house along the index: one look-up for each, however many bookings."""
    bookings = Booking.objects.order_by("house_id", "-created_at", "-pk")
    last = ""
    for _ in range(MOST):
        newest = bookings.filter(house_id__gt=last).values_list("house_id", "house_title").first()
        if newest is None:
            return
        last, title = newest
        yield last, title or last
