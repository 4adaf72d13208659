"""Text that came from the CRM, made fit to be kept and shown. Pure."""

from __future__ import annotations

import html
import re

MESSAGE_LIMIT = 300
# What is looked at of a longer text, tags and entities included. A message may be as long as the
# reply, 8 MB, and Python refuses to read an entity of 5,000 digits.
RAW_LIMIT = 4000

_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_BLANKS = re.compile(r"[ \t\r\n\v\f]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Controls (NUL would be refused by PostgreSQL) and the marks that turn the direction of text.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# No database column and no form field takes these, so such a string could not be sent back.
_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """One line of plain text: tags taken out, entities undone once, at most `limit` characters.

    It is not HTML: whoever puts it on a page still escapes it.
    """
    line = html.unescape(_TAG.sub("", text[:RAW_LIMIT]))
    line = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", line)
    line = _UNSEEN.sub("", _BLANKS.sub(" ", line)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def is_sendable(text: str, limit: int) -> bool:
    """Whether a string can be kept and sent back exactly as it came."""
    return len(text) <= limit and bool(text.strip()) and not _UNSENDABLE.search(text)
