"""Clean texts of the CRM before they are kept or shown. Pure."""

from __future__ import annotations

import html
import re

MESSAGE_LIMIT = 300
# Characters that are read of a longer text, tags and entities included. A message may be as long as
# the reply, 8 MB, and Python refuses an entity of 5,000 digits.
RAW_LIMIT = 4000

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_BLANKS = re.compile(r"[ \t\r\n\v\f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Control characters (PostgreSQL refuses NUL) and those that change the direction of text.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# No database column or form field accepts these, so the string could not be sent back.
_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Strip tags, decode entities once and cut to `limit` characters, on one line.

    The result is text, not HTML: templates must still escape it.
    """
    line = html.unescape(_TAG.sub("", text[:RAW_LIMIT]))
    line = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line)
    line = _UNSEEN.sub("", _BLANKS.sub(" ", line)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def is_sendable(text: str, limit: int) -> bool:
    """Whether a string can be stored and sent back unchanged."""
    return len(text) <= limit and bool(text.strip()) and not _UNSENDABLE.search(text)
