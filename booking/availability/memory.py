"""What the CRM has said, remembered for everybody: threads, workers and, with Redis, machines.

Kept in Django's cache, which `CACHE_URL` chooses. An answer is *fresh* for a while, then *stale*:
still shown, but due to be asked for again. A failure is remembered for a few seconds, and so is
an outage of the whole CRM. Who asks, and who waits, is decided in `asking`.

Only tuples, texts, numbers and times are stored beside our own few error classes. They are pickles
all the same: whoever can write to the folder or to that Redis can run code here.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import redis
from django.conf import settings
from django.core.cache import cache

from booking.crm import CRMError, CRMUnavailable

logger = logging.getLogger(__name__)

# Changes whenever the shape of what is stored does: versions of the site may share one Redis.
FORMAT = "1"
# Fresh periods are shortened by up to this share, so that what was read together does not end so.
JITTER = 0.2
# How long a failure is believed before one caller tries again, and for how long beyond that it is
# what the others get meanwhile, in seconds. A CRM that asks for a pause gets it, up to the third.
FAILURE_FRESH_FOR = 5.0
FAILURE_GOOD_FOR = 30.0
LONGEST_PAUSE = 60.0
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
# Longer than any call may take: a read that began before a day was dropped must not put it back.
DROP_GOOD_FOR = 180.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer, or the failure to get one. Times are seconds as `time.time()` counts them."""

    answer: Any
    read_at: float
    fresh_until: float
    good_until: float
    error: CRMError | None = None

    @property
    def is_fresh(self) -> bool:
        return time.time() < self.fresh_until

    @property
    def age(self) -> float:
        return time.time() - self.read_at


@dataclass(frozen=True, slots=True)
class Outage:
    """The CRM does not answer anybody: what to tell, and when somebody should try again."""

    error: CRMError
    retry_at: float

    @property
    def is_due(self) -> bool:
        return time.time() >= self.retry_at


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one key: its entry, the CRM's outage, and the mark of its last `drop`."""

    entry: Remembered | None
    outage: Outage | None
    dropped: str | None


def key_of(*parts: str) -> str:
    """A key for any texts. Another installation of the CRM has other keys."""
    whole = (FORMAT, settings.MACROCRM_URL, settings.MACROCRM_DOMAIN, *parts)
    return hashlib.sha256("\0".join(whole).encode()).hexdigest()[:40]


def recall(keys: Iterable[str]) -> tuple[dict[str, Remembered], Outage | None]:
    """The entries there are for these keys, and the outage if there is one, in one reading."""
    outage_key = _outage_key()
    stored = _stored([*keys, outage_key])
    outage = stored.pop(outage_key, None)
    entries = {key: Remembered(*entry) for key, entry in stored.items()}
    return entries, outage and Outage(*outage)


def view(key: str) -> View:
    outage_key, drop_key = _outage_key(), _drop_key(key)
    stored = _stored([key, outage_key, drop_key])
    entry, outage = stored.get(key), stored.get(outage_key)
    return View(
        entry=entry and Remembered(*entry),
        outage=outage and Outage(*outage),
        dropped=stored.get(drop_key),
    )


def keep_answer(
    key: str, seen: View, answer: Any, *, fresh_for: float, good_for: float
) -> Remembered:
    """Remember an answer. `seen` is what was known before it was asked for."""
    now = time.time()
    fresh = fresh_for * random.uniform(1 - JITTER, 1)  # noqa: S311 - not a secret
    entry = Remembered(answer, now, now + fresh, now + fresh + good_for)
    _keep(key, seen, entry)
    return entry


def keep_failure(key: str, seen: View, error: CRMError) -> Remembered:
    """Remember that there is no new answer; the old one, if there is one, stands for longer."""
    now = time.time()
    until = now + _pause(error)
    if seen.entry and seen.entry.error is None and seen.entry.good_until > now:
        entry = replace(seen.entry, fresh_until=until)
    else:
        entry = Remembered(None, now, until, until + FAILURE_GOOD_FOR, error)
    _keep(key, seen, entry)
    return entry


def drop(key: str) -> None:
    """Forget an answer, and whatever a read that is under way will bring."""
    _store(_drop_key(key), uuid.uuid4().hex, DROP_GOOD_FOR)
    _tried(lambda: cache.delete(key), otherwise=False)


def begin_outage(error: CRMError) -> None:
    pause = _pause(error)
    logger.warning("The CRM counts as out for %g s: %s", pause, error)
    _store(_outage_key(), (error, time.time() + pause), pause + FAILURE_GOOD_FOR)


def put_off_retry(outage: Outage, seconds: float) -> None:
    """One caller tries whether the outage is over: nobody else should, for so long."""
    retry_at = time.time() + seconds
    _store(_outage_key(), (outage.error, retry_at), seconds + FAILURE_GOOD_FOR)


def end_outage() -> None:
    _tried(lambda: cache.delete(_outage_key()), otherwise=False)


def keep_body(name: str, body: bytes, seconds: float) -> None:
    """Remember something large beside the small entry that names it."""
    _store(key_of("body", name), body, seconds)


def body(name: str) -> bytes | None:
    key = key_of("body", name)
    found: bytes | None = _stored([key]).get(key)
    return found


def _keep(key: str, seen: View, entry: Remembered) -> None:
    times = (entry.read_at, entry.fresh_until, entry.good_until)
    _store(key, (entry.answer, *times, entry.error), entry.good_until - time.time())
    if _stored([_drop_key(key)]).get(_drop_key(key)) != seen.dropped:
        # Dropped while the CRM was answering: what it said may be from before.
        _tried(lambda: cache.delete(key), otherwise=False)


def _pause(error: CRMError) -> float:
    asked = error.retry_after if isinstance(error, CRMUnavailable) else None
    return min(max(asked or 0, FAILURE_FRESH_FOR), LONGEST_PAUSE)


def _outage_key() -> str:
    return key_of("outage")


def _drop_key(key: str) -> str:
    return f"{key}:dropped"


def _stored(keys: list[str]) -> dict[str, Any]:
    try:
        return _tried(lambda: cache.get_many(keys), otherwise={})
    except BROKEN as exc:
        # One of them: what is left is asked for again.
        logger.warning("The cache held what can't be read: %s", type(exc).__name__)
        _tried(lambda: cache.delete_many(keys), otherwise=None)
        return {}


def _store(key: str, value: Any, seconds: float) -> None:
    _tried(lambda: cache.set(key, value, seconds), otherwise=None)


def _tried(step: Callable[[], T], *, otherwise: T) -> T:
    """A store that is full or away makes the site slower, not silent."""
    try:
        return step()
    except (OSError, redis.RedisError) as exc:
        logger.warning("The cache does not work: %s", exc)
        return otherwise
