"""Bounds of the texts in a request, which is cut before anything reads it.

A parser may be quadratic in the length of a text and holds the interpreter meanwhile: a phone of
60,000 spaces once took 11 s, while every other page waited. `InputBoundsMiddleware` cuts each
request by this table, so new pages are covered, too. `booking.crm.text` cuts what the CRM sends,
`booking.redaction` what is logged.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

# In characters. A value is cut to one more than its bound, so that the field's validator sees it.
IN_A_QUERY = 200
IN_A_FORM = 4000
# A phone as people write it, followed by a name and an extension.
PHONE = 100
MOST = {
    "phone": PHONE,
    # Return addresses of the admin's login and forms, with all filters of a list.
    "next": 2000,
    "_changelist_filters": 2000,
}
# A field's name, and a value in a path.
NAME = 100
IN_A_PATH = 200
# A query string, as in gunicorn.
QUERY = 8190
HEADER = 2000
# Our pages set a few, but browsers also send those of a parent domain.
COOKIES = 32_000
COOKIE = 4096


def capped(text: str, most: int) -> str:
    return text[:most]


def cut(fields: QueryDict, usual: int) -> Any:
    """Cut each field of a query or form to its bound plus one; drop fields with long names."""
    if not any(_is_long(name, values, usual) for name, values in fields.lists()):
        return fields
    bounded = QueryDict(mutable=True, encoding=fields.encoding)
    for name, values in fields.lists():
        if len(name) <= NAME:
            most = MOST.get(name, usual)
            bounded.setlist(name, [capped(value, most + 1) for value in values])
    bounded._mutable = False
    return bounded


def _is_long(name: str, values: list[str], usual: int) -> bool:
    return len(name) > NAME or max(map(len, values), default=0) > MOST.get(name, usual)
