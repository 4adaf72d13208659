"""What a caller says -> the bookings meant: a phone, a booking number, a flat, a house, or two."""

from __future__ import annotations

import re
import uuid

from django.db.models import Q

from booking import references
from booking.admin import known_houses, phones
from booking.flat_numbers import folded
from booking.models import Booking

# A whole key, with or without dashes: it is the address of a booking's page.
KEY = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
NOTHING = Q(pk=None)
# A house may be called by some words; each costs a look-up or five.
MOST_WORDS = 10


def search_q(said: str) -> Q:
    """Every look-up it may consist of is along an index. Something unknown finds nothing."""
    said = said.strip()
    if not said:
        return Q()
    return _one_thing(said) or _several_things(said.split()) or NOTHING


def _several_things(words: list[str]) -> Q | None:
    """For example a house and a flat: what fits all the words."""
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
    """The first reading of it under which there is a booking."""
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
