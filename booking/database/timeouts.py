"""Timeouts of single statements on PostgreSQL, in seconds.

Pages have little time, except figures and exports of staff, which count a million rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings

# Only migrations have no timeout.
NEVER = 0.0

_seconds: ContextVar[float] = ContextVar("database_timeout")


def seconds() -> float:
    """The current timeout; the long one outside of pages: in commands, threads and streams."""
    return _seconds.get(settings.DATABASE_LONG_TIMEOUT)


@contextmanager
def timeout(limit: float) -> Iterator[None]:
    """Within it, each statement must be answered in `limit` seconds."""
    token = _seconds.set(limit)
    try:
        yield
    finally:
        _seconds.reset(token)
