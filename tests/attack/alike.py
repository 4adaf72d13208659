"""A page without what is its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TRIES = 3
# Keys, booking numbers, tokens of forms, the clock of the house; of a phone the page tells the
# last digits, as they were typed by whoever reads it.
OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[АВЕКМНОРСТУХ]\d{4}[АВЕКМНОРСТУХ]{2}"
    r"|form:[\w:-]{20,60}"
    r"|\d\d-\d\d</span>"
    r"|T\d\d:\d\d:\d\d[+-]"
)


def alike(html: str, *own: str) -> str:
    """`own`: what else stands for the one that was asked for, such as the flat's number."""
    for text in own:
        html = html.replace(text, "·")
    return OWN.sub("·", html)


def differ(read: Callable[[T], object], first: Callable[[], T], second: Callable[[], T]) -> bool:
    """Whether two kinds of answer read otherwise each time: once, a day that was just read may."""
    return all(read(first()) != read(second()) for _try in range(TRIES))
