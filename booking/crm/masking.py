"""Blanks what must not be kept, should the CRM repeat it in its answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_HASH = r"\b[0-9a-fA-F]{32}\b"


def masker(*, secret: str, phone: str) -> Callable[[str], str]:
    """What blanks the secret, any token, and the phone in whichever way the CRM writes it."""
    hidden = (_HASH, re.escape(secret), _any_spelling(phone))
    pattern = re.compile("|".join(filter(None, hidden)))
    return lambda text: pattern.sub("•••", text)


def _any_spelling(phone: str) -> str:
    digits = re.sub("[^0-9]", "", phone)[-10:]
    return r"\+?[78]?[\s(-]*" + r"[\s()-]*".join(digits) if digits else ""
