"""How long this code waits for one answer of PostgreSQL, in seconds.

A page has little time, but for the figures and the exports of staff, who count a million rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

# Only a migration may wait without end.
NEVER = 0.0

_seconds: ContextVar[float] = ContextVar("database_timeout")


def seconds() -> float:
    """Outside of a page it is the long one: in commands, threads and files that are streamed."""
    return _seconds.get(settings.DATABASE_LONG_TIMEOUT)


@contextmanager
def timeout(limit: float) -> Iterator[None]:
    """Within it, each statement must be answered in `limit` seconds."""
    token = _seconds.set(limit)
    try:
        yield
    finally:
        _seconds.reset(token)
