"""The houses of the log, found without reading it through."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache

from booking.models import Booking, House

# More are more than anybody picks from; a search finds the others by id or address all the same.
MOST = 200
REMEMBERED_SECONDS = 60


def titles() -> dict[str, str]:
    """The title that each house had last, by its id."""
    return cache.get_or_set("desk:houses", _read, REMEMBERED_SECONDS) or {}


def called(words: str) -> list[str]:
    """The ids of the houses whose id is this, or whose title or address holds these words.

    Compared here: SQLite knows upper and lower case of Latin letters only.
    """
    known, addresses = titles(), dict(House.objects.values_list("house_id", "address"))
    return [
        house_id
        for house_id in {**known, **addresses}
        if house_id == words or _holds(words, known.get(house_id), addresses.get(house_id))
    ]


def _holds(words: str, *texts: str | None) -> bool:
    return words.casefold() in "\n".join(filter(None, texts)).casefold()


def _read() -> dict[str, str]:
    found = sorted(_each(), key=lambda house: house[1])
    return dict(found)


def _each() -> Iterator[tuple[str, str]]:
    """Skips from house to house along the index: one look-up for each, however many bookings."""
    bookings = Booking.objects.order_by("house_id", "-created_at", "-pk")
    last = ""
    for _ in range(MOST):
        newest = bookings.filter(house_id__gt=last).values_list("house_id", "house_title").first()
        if newest is None:
            return
        last, title = newest
        yield last, title or _title(last) or last


def _title(house_id: str) -> str:
    """The last one that the CRM gave; it may have given none for the newest booking."""
    titled = Booking.objects.filter(house_id=house_id).exclude(house_title="")
    newest_first = titled.order_by("-created_at", "-pk")
    return newest_first.values_list("house_title", flat=True).first() or ""
