"""Blanks what must not be kept, should the CRM repeat it in its reply. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from booking.crm.text import RAW_LIMIT, plain

_HASH = r"\b[0-9a-fA-F]{32}\b"
# What may stand between two digits of a phone. Of bounded length: the search would take a time that
# grows with the square of a run of brackets, 2.5 s for 20,000 of them.
_GAP = r"[\s().\u2010-\u2015\u2212-]{0,3}"
# What is cut off a text that was cut before: half of a secret or a phone is not recognised.
_LONGEST_SECRET = 100


def masker(*, secret: str, phone: str) -> Callable[[str], str]:
    """What blanks the secret, any token, and the phone in whichever way the CRM writes it."""
    hidden = (_HASH, re.escape(secret), _any_spelling(phone))
    pattern = re.compile("|".join(filter(None, hidden)))
    return lambda text: pattern.sub("•••", text)


def masked_plain(text: str, mask: Callable[[str], str], limit: int) -> str:
    """One line of plain text, masked before it is cut to `limit`, lest half a phone is left."""
    line = mask(plain(text, RAW_LIMIT))
    return plain(line if len(text) <= RAW_LIMIT else line[:-_LONGEST_SECRET], limit)


def _any_spelling(phone: str) -> str:
    digits = re.sub("[^0-9]", "", phone)[-10:]
    return rf"\+?[78]?{_GAP}" + _GAP.join(digits) if digits else ""
