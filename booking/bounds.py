"""How long a text from outside may be. It is cut before anything reads it.

The reader of a text may take time that grows with the square of its length, and holds the
interpreter while it does: a phone of 60,000 spaces once took 11 s, with every other page waiting.
The middleware `InputBoundsMiddleware` cuts each request by this table, so a page that is new is
covered, too; what the CRM sends is cut in `booking.crm.text`, what is logged in
`booking.redaction`.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

# Characters. A value is cut to one more than its most, so that the field's own check can tell.
IN_A_QUERY = 200
IN_A_FORM = 4000
# A phone as people write it, with a name and an extension behind it.
PHONE = 100
MOST = {
    "phone": PHONE,
    # Where the login and the forms of the admin lead back to, with all the filters of a list.
    "next": 2000,
    "_changelist_filters": 2000,
}
# Of a field's name, and of what a path holds.
NAME = 100
IN_A_PATH = 200
# A query's, as gunicorn has it.
QUERY = 8190
HEADER = 2000
# Its own pages set a few, but a browser sends those of a parent domain along.
COOKIES = 32_000
COOKIE = 4096


def capped(text: str, most: int) -> str:
    return text[:most]


def cut(fields: QueryDict, usual: int) -> Any:
    """The fields of a query or a form, each as long as its reader takes, and one more."""
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
