"""The cache shared by all processes, in the site's database, with a fallback.

A cache that does not work makes the site slower, never silent: it is left alone for a while, and
each process uses its own cache meanwhile. The cache has its own connections, so that it never holds
or breaks those of the journal.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Iterable
from typing import Any

from django.core.cache import caches
from django.db import Error, connections

from booking.database.pool import give_back
from booking.database.routers import CACHE
from booking.database.timeouts import timeout

logger = logging.getLogger(__name__)

# Seconds. A statement of the cache takes 0.3 ms; a page must not wait for one that hangs.
TIMEOUT = 1.0
# Django does not report when these fail; one that waited for a lock took as long as this.
SILENT = {"set", "add"}
LEFT_ALONE_FOR = 10.0
# Raised by an entry that a power cut or another Python version has spoilt.
SPOILT = (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError, ValueError)

# By the monotonic clock of this process.
_left_alone_until = 0.0


def get_many(keys: Iterable[str]) -> dict[str, Any]:
    wanted = list(keys)
    try:
        found: dict[str, Any] = _call("get_many", wanted)
    except SPOILT as exc:
        # One is spoilt: all are read from the CRM again.
        logger.warning("The cache held what can't be read: %s", type(exc).__name__)
        _call("delete_many", wanted)
        return {}
    return found


def set(key: str, value: Any, seconds: float) -> None:
    _call("set", key, value, seconds)


def add(key: str, value: Any, seconds: float) -> bool:
    """Set a missing key. False if it exists."""
    for _try in range(2):
        if _call("add", key, value, seconds):
            return True
        if key in get_many([key]):
            return False
    # Django does not report a failed write.
    _leave_alone("it takes no write")
    return bool(_call("add", key, value, seconds))


def delete(key: str) -> None:
    _call("delete", key)


def _call(method: str, *arguments: Any) -> Any:
    """What Django's cache returns; that of this process, while the shared one does not work."""
    began_at = time.monotonic()
    if began_at >= _left_alone_until:
        try:
            with timeout(TIMEOUT):
                result = getattr(caches["default"], method)(*arguments)
            # The pool is small, and a page takes longer than its statements.
            give_back([CACHE])
            if method not in SILENT or time.monotonic() - began_at < TIMEOUT:
                return result
            _leave_alone("it is too slow")
        except (Error, OSError) as exc:
            _leave_alone(exc)
    return getattr(caches["process"], method)(*arguments)


def _leave_alone(why: object) -> None:
    global _left_alone_until
    _left_alone_until = time.monotonic() + LEFT_ALONE_FOR
    connections[CACHE].close()
    logger.warning("The cache is left alone for %g s: %s", LEFT_ALONE_FOR, why)
