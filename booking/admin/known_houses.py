"""List the houses of the log without scanning it."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache

from booking.models import Booking, House

# More than staff would pick from; a search finds the others by id or address.
MOST = 200
REMEMBERED_SECONDS = 60


def titles() -> dict[str, str]:
    """The last title of each house, by id."""
    return cache.get_or_set("staff:houses", _read, REMEMBERED_SECONDS) or {}


def house_ids_matching(words: str) -> list[str]:
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


def newest_of_each(column: str, *others: str, most: int) -> Iterator[tuple[str, ...]]:
    """Columns of the newest booking of each value: a skip scan, one look-up for each."""
    bookings = Booking.objects.order_by(column, "-created_at", "-pk").values_list(column, *others)
    last = ""
    for _ in range(most):
        newest = bookings.filter(**{f"{column}__gt": last}).first()
        if newest is None:
            return
        last = newest[0]
        yield newest


def _read() -> dict[str, str]:
    newest = newest_of_each("house_id", "house_title", most=MOST)
    found = {house_id: title or _title(house_id) or house_id for house_id, title in newest}
    return dict(sorted(found.items(), key=lambda house: house[1]))


def _title(house_id: str) -> str:
    """The last non-empty title: the newest booking may have none."""
    titled = Booking.objects.filter(house_id=house_id).exclude(house_title="")
    newest_first = titled.order_by("-created_at", "-pk")
    return newest_first.values_list("house_title", flat=True).first() or ""
