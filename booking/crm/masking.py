"""Mask secret, token and phone where the CRM repeats them in a reply. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from booking.crm.text import RAW_LIMIT, plain

_HASH = r"\b[0-9a-fA-F]{32}\b"
# Characters between two digits of a phone. Bounded, because an unbounded search is quadratic: 2.5 s
# for a run of 20,000 brackets.
_GAP = r"[\s().\u2010-\u2015\u2212-]{0,3}"
# Characters dropped at a cut, where half a secret or phone would not be recognised.
_LONGEST_SECRET = 100


def masker(*, secret: str, phone: str) -> Callable[[str], str]:
    """Return a function that masks the secret, any token, and any spelling of the phone."""
    hidden = (_HASH, re.escape(secret), _any_spelling(phone))
    pattern = re.compile("|".join(filter(None, hidden)))
    return lambda text: pattern.sub("•••", text)


def masked_plain(text: str, mask: Callable[[str], str], limit: int) -> str:
    """One line of plain text, masked before it is cut, so that no half of a phone is left."""
    line = mask(plain(text, RAW_LIMIT))
    return plain(line if len(text) <= RAW_LIMIT else line[:-_LONGEST_SECRET], limit)


def _any_spelling(phone: str) -> str:
    digits = re.sub("[^0-9]", "", phone)[-10:]
    return rf"\+?[78]?{_GAP}" + _GAP.join(digits) if digits else ""
