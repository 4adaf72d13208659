"""The houses of a category and the flats in them, as buyers see them.

A category may have 200 houses with 500 flats each, and step 1 shows 200 lines of them. So the list
is remembered as two entries: a small one that each page reads, and a large one, named by a digest
of its content, that a process reads once and keeps. A house's flats stay packed until they are
looked at.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, overload
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from booking import models, shared_cache
from booking.availability import cache
from booking.availability.cache import Lookup
from booking.crm import CRMClient, CRMUnavailable, ListedFlat, ListedHouse, ReadyFlats
from booking.crm_client import crm_client
from booking.flat_numbers import may_mean, natural_key, skeleton

logger = logging.getLogger(__name__)

# In seconds. A list of yesterday is better than none: the CRM has the last word anyway.
HOUSES_FRESH_FOR = 300
HOUSES_GOOD_FOR = 24 * 3600
# What of our own houses the steps show.
OURS = (*("house_id", "time_zone", "address", "visit_slots", "visit_minutes", "map_url", "bring"),)


class Flats(Sequence[ListedFlat]):
    """The flats of a house in natural order, 2 before 10; unpacked when they are looked at."""

    def __init__(self, count: int = 0, packed: str = "[]") -> None:
        self._count = count
        self._packed = packed

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ListedFlat]:
        return iter(_unpacked(self._packed))

    @overload
    def __getitem__(self, place: int) -> ListedFlat: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[ListedFlat]: ...

    def __getitem__(self, place: int | slice) -> ListedFlat | Sequence[ListedFlat]:
        return _unpacked(self._packed)[place]

    def numbered(self, number: str) -> ListedFlat | None:
        """The flat with exactly this number."""
        if json.dumps(number) not in self._packed:
            return None
        return next((flat for flat in self if flat.number == number), None)


@dataclass(frozen=True, slots=True)
class ReadyHouse:
    """A house with flats that are ready, as a buyer sees it."""

    id: str
    title: str
    flats: Flats
    zone: ZoneInfo
    address: str = ""
    # How many slots a visit takes here; 0: as many as everywhere.
    visit_slots: int = 0
    # How long it lasts, where that is known.
    visit_lasts: timedelta | None = None
    map_url: str = ""
    bring: str = ""

    def flat(self, number: str) -> ListedFlat | None:
        return self.flats.numbered(number)

    def flats_like(self, typed: str) -> tuple[ListedFlat, ...]:
        """The flats with this number, however it is spelled: «кв. 12», "K-1" for «К-1»."""
        wanted = skeleton(typed)
        return tuple(flat for flat in self.flats if wanted and skeleton(flat.number) == wanted)

    def flats_near(self, typed: str) -> tuple[ListedFlat, ...]:
        """The flats whose number contains what was typed.

        To be chosen from; none of them may be taken for the one that was typed.
        """
        return tuple(flat for flat in self.flats if may_mean(typed, flat.number))


@dataclass(frozen=True, slots=True, eq=False)
class ReadyHouses:
    """The houses of one category that have anything ready."""

    houses: tuple[ReadyHouse, ...]
    stand_in: bool

    def house(self, house_id: str) -> ReadyHouse | None:
        return next((house for house in self.houses if house.id == house_id), None)

    def houses_with(self, flat: str) -> tuple[ReadyHouse, ...]:
        return tuple(house for house in self.houses if house.flat(flat))


def ready_houses(category: str) -> ReadyHouses:
    """The houses of a category with something ready, by title. Raises CRMError."""
    lookup = _lookup(category)
    usual = settings.TIME_ZONE, settings.BOOKING_VISIT_SLOTS, settings.BOOKING_GRID_MINUTES
    recent = cache.recent()
    if "our houses" not in recent:
        recent["our houses"] = _our_houses()
    ours = recent["our houses"]
    try:
        return _offered(category, *_answer(lookup), ours, usual)
    except LookupError:
        # The large entry was thrown out, and the small one was kept.
        cache.invalidate(lookup.key)
        return _offered(category, *_answer(lookup), ours, usual)


def categories_of(house_id: str) -> list[str]:
    """What a house has ready, as far as is known; nothing is waited for, but begins to be read."""
    lookups = [_lookup(category) for category in settings.BOOKING_CATEGORIES]
    found = cache.get_many(lookups, wait_for=0, wanted_for=cache.longest_read())
    known = zip(settings.BOOKING_CATEGORIES, found, strict=True)
    read = [category for category, entry in known if entry and not entry.error]
    return [category for category in read if ready_houses(category).house(house_id)]


def known_title(house_id: str) -> str:
    """A house's title or address as far as is known; the CRM is not asked."""
    lookups = {category: _lookup(category).key for category in settings.BOOKING_CATEGORIES}
    entries = cache.known(lookups.values())
    for category, key in lookups.items():
        found = entries[key]
        house = ready_houses(category).house(house_id) if found and not found.error else None
        if house:
            return house.title
    return models.House.for_id(house_id).address


def unlisted(house_id: str, title: str = "") -> ReadyHouse:
    """A house by what only we know of it: for when the list can't be read."""
    return _ready_house(models.House.for_id(house_id), title, Flats())


def _answer(lookup: Lookup) -> tuple[str, bool]:
    """The digest that names the list, and whether the stand-in gave it. Raises CRMError."""
    [found] = cache.get_many([lookup], wait_for=cache.longest_read())
    if found is None:
        raise CRMUnavailable("getReadyFlats: the answer took too long.", transient=True)
    if found.error:
        raise copy(found.error)
    answer: tuple[str, bool] = found.value
    return answer


def _lookup(category: str) -> Lookup:
    client = crm_client()
    return Lookup(
        key=cache.key_of("houses", category),
        read=lambda: _read(client, category),
        fresh_for=HOUSES_FRESH_FOR,
        shown_for=HOUSES_GOOD_FOR,
        kept_for=HOUSES_GOOD_FOR,
    )


def _read(client: CRMClient, category: str) -> tuple[str, bool]:
    """Raises CRMError."""
    reply = client.ready_flats(category)
    for remark in reply.remarks:
        logger.warning("The list of %s: %s", category, remark)
    body = json.dumps(_rows(reply)).encode()
    digest = hashlib.sha256(body).hexdigest()
    # Before the small entry that names it, and for as long. 4 MB of JSON are 0.4 MB so.
    packed = zlib.compress(body, level=1)
    good_for = HOUSES_FRESH_FOR + HOUSES_GOOD_FOR
    shared_cache.set(_body_key(category, digest), (digest, packed), good_for)
    _read_here[category] = digest, packed
    return digest, reply.stand_in


# The last list of each category that this process has read itself: in case it was not stored.
_read_here: dict[str, tuple[str, bytes]] = {}


def _rows(reply: ReadyFlats) -> list[tuple[str, str, int, str]]:
    offered = (house for house in reply.houses if house.flats)
    by_title = sorted(offered, key=lambda house: natural_key(house.title))
    return [(house.id, house.title, len(house.flats), _packed(house)) for house in by_title]


def _packed(house: ListedHouse) -> str:
    flats = sorted(house.flats, key=lambda flat: natural_key(flat.label))
    return json.dumps([(flat.number, flat.label) for flat in flats])


@lru_cache(maxsize=64)
def _unpacked(packed: str) -> tuple[ListedFlat, ...]:
    return tuple(ListedFlat(number, label) for number, label in json.loads(packed))


def _body(category: str, digest: str) -> bytes:
    """The large entry of this digest. Raises LookupError when it is no longer remembered."""
    key = _body_key(category, digest)
    for found in (_read_here.get(category), shared_cache.get_many([key]).get(key)):
        if found and found[0] == digest:
            return zlib.decompress(found[1])
    raise LookupError(digest)


def _body_key(category: str, digest: str) -> str:
    """One of sixteen: each flat that is booked makes another list, and nothing deletes the old."""
    return cache.key_of("body", category, digest[0])


def _our_houses() -> tuple[tuple[Any, ...], ...]:
    """What the CRM does not know of each house: the values of OURS."""
    return tuple(models.House.objects.values_list(*OURS))


def _ready_house(known: models.House, title: str, flats: Flats) -> ReadyHouse:
    return ReadyHouse(
        known.house_id,
        title,
        flats,
        known.zone,
        known.address,
        known.visit_slots or 0,
        known.visit_lasts,
        known.map_url,
        known.bring,
    )


@receiver([post_save, post_delete], sender=models.House)
def _note_change(**_kwargs: object) -> None:
    cache.forget_recent()
    # Others still read the old row until it is committed.
    transaction.on_commit(cache.forget_recent)


# The same object for as long as nothing in it changes: what is drawn of it can be kept beside it.
# As many as there are categories, twice, for the moment in which a list changes.
@lru_cache(maxsize=8)
def _offered(
    category: str,
    digest: str,
    stand_in: bool,
    ours: tuple[tuple[Any, ...], ...],
    _usual: tuple[str, int, int],
) -> ReadyHouses:
    """Raises LookupError when the list of this digest is no longer remembered."""
    known = {row[0]: models.House(**dict(zip(OURS, row, strict=True))) for row in ours}
    houses = (
        _ready_house(known.get(each) or models.House(house_id=each), title, Flats(count, packed))
        for each, title, count, packed in json.loads(_body(category, digest))
    )
    return ReadyHouses(tuple(houses), stand_in)
