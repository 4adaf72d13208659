"""Django's cache, which may be away or spoilt, and what this process has already read of it.

To read the fourteen days of a page from as many files costs as much as the rest of the page. So
whoever writes also changes a mark, and what was read stands for as long as the mark does under
which it was read: one small reading in place of many, and no process shows what another has
dropped.
"""

from __future__ import annotations

import logging
import pickle
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import redis
from django.core.cache import cache

logger = logging.getLogger(__name__)

# What reading an entry may raise that a power cut, or another version of Python, has spoilt.
BROKEN = (
    zlib.error,
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    ValueError,
)
# Under this key stands the mark, for longer than anything that was read under it may be shown.
MARK = "availability:mark"
MARK_GOOD_FOR = 30 * 24 * 3600  # seconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """What has been read while the store had this mark; None is what was not there."""

    mark: str | None = None
    values: dict[str, Any] = field(default_factory=dict)


_latest = Reading()
# Of each thread: `reading` is what it looks at within `one_moment`, None until it has looked.
_moment = threading.local()


@contextmanager
def one_moment() -> Iterator[None]:
    """Within, this thread sees the store as it was at its first look, and looks at the mark once.

    What it writes itself it sees. For pages that only show; whoever decides must look anew.
    """
    _moment.is_on, _moment.reading = True, None
    try:
        yield
    finally:
        _moment.is_on, _moment.reading = False, None


def read(keys: list[str]) -> dict[str, Any]:
    """What the store holds of these keys now."""
    try:
        return _tried(lambda: cache.get_many(keys), otherwise={})
    except BROKEN as exc:
        # One of them: what is left is asked for again.
        logger.warning("The cache held what can't be read: %s", type(exc).__name__)
        _tried(lambda: cache.delete_many(keys), otherwise=None)
        return {}


def read_once(keys: list[str]) -> dict[str, Any]:
    """As `read`, but nothing again that nobody has changed. It may have run out meanwhile."""
    values = _reading().values
    unread = [key for key in keys if key not in values]
    if unread:
        values.update(dict.fromkeys(unread) | read(unread))
    return {key: values[key] for key in keys if values[key] is not None}


def once(name: str, make: Callable[[], T]) -> T:
    """What `make` returns, made only once until somebody writes or says `note_change`."""
    values = _reading().values
    if name not in values:
        values[name] = make()
    made: T = values[name]
    return made


def write(key: str, value: Any, seconds: float) -> None:
    _tried(lambda: cache.set(key, value, seconds), otherwise=None)
    note_change()


def delete(key: str) -> None:
    _tried(lambda: cache.delete(key), otherwise=False)
    note_change()


def note_change() -> None:
    """Whatever any process has read before, it must read again."""
    _tried(lambda: cache.set(MARK, uuid.uuid4().hex, MARK_GOOD_FOR), otherwise=None)
    _moment.reading = None


def _reading() -> Reading:
    if not getattr(_moment, "is_on", False):
        return _reading_now()
    if _moment.reading is None:
        _moment.reading = _reading_now()
    reading: Reading = _moment.reading
    return reading


def _reading_now() -> Reading:
    """What was read under the mark of this moment; without a mark nothing is kept."""
    global _latest
    mark = read([MARK]).get(MARK)
    if mark is None:
        return Reading()
    latest = _latest
    # Threads need no lock: it is replaced as a whole.
    if latest.mark != mark:
        # A thread that reads under an older mark keeps what it reads to itself.
        latest = _latest = Reading(mark)
    return latest


def _tried(step: Callable[[], T], *, otherwise: T) -> T:
    """A store that is full or away makes the site slower, not silent."""
    try:
        return step()
    except (OSError, redis.RedisError) as exc:
        logger.warning("The cache does not work: %s", exc)
        return otherwise
