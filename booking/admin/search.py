"""Search bookings by what a caller says: a phone, booking number, flat, house, or two of these."""

from __future__ import annotations

import re
import uuid

from django.db.models import Q

from booking import references
from booking.admin import known_houses, phones
from booking.flat_numbers import folded
from booking.models import Booking

# A booking's key, with or without dashes: the address of its page.
KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
NOTHING = Q(pk=None)
# A house's name may have several words; each costs one to five look-ups.
MOST_WORDS = 10


def search_q(said: str) -> Q:
    """Build the condition; all its look-ups use an index. Unknown input finds nothing."""
    said = said.strip()
    if not said:
        return Q()
    return _one_thing(said) or _several_things(said.split()) or NOTHING


def _several_things(words: list[str]) -> Q | None:
    """Match all words, for example a house and a flat."""
    if not 2 <= len(words) <= MOST_WORDS:
        return None
    found = Q()
    for word in words:
        thing = _one_thing(word)
        if thing is None:
            return None
        found &= thing
    return found


def _one_thing(said: str) -> Q | None:
    """The first interpretation that matches a booking."""
    for reading in (
        _phone(said),
        _number(said),
        _key(said),
        _flat(said),
        Q(house_id=said),
        _house(said),
    ):
        if reading is not None and Booking.objects.filter(reading).exists():
            return reading
    return None


def _phone(said: str) -> Q | None:
    phone = phones.read(said)
    return Q(phone=phone) if phone else None


def _number(said: str) -> Q | None:
    reference = references.parse(said)
    return Q(reference=reference) if reference else None


def _key(said: str) -> Q | None:
    digits = said.replace("-", "")
    return Q(key=uuid.UUID(digits)) if KEY.fullmatch(digits) else None


def _flat(said: str) -> Q | None:
    number = folded(said)
    return Q(flat_folded=number) if number else None


def _house(said: str) -> Q | None:
    houses = known_houses.house_ids_matching(said)
    return Q(house_id__in=houses) if houses else None
