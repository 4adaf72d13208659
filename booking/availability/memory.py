"""What the CRM has said, remembered for everybody: threads, workers and, with Redis, machines.

Kept in Django's cache (`store`), which `CACHE_URL` chooses. An answer is *fresh* for a while, then
*stale*: still shown, but due to be asked for again. A failure is remembered for a few seconds, and
so is an outage of the whole CRM. Who asks, and who waits, is decided in `asking`.

Only tuples, texts, numbers and times are stored beside our own few error classes. They are pickles
all the same: whoever can write to the folder or to that Redis can run code here.
"""

from __future__ import annotations

import hashlib
import logging
import random
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings

from booking.availability import store
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
# Longer than any call may take: a read that began before a day was dropped must not put it back.
DROP_GOOD_FOR = 180.0


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

    @property
    def good_until(self) -> float:
        return self.retry_at + FAILURE_GOOD_FOR


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one key: its entry, the CRM's outage, and the mark of its last `drop`."""

    entry: Remembered | None
    outage: Outage | None
    dropped: str | None


def key_of(*parts: str) -> str:
    """A key for any texts. Another installation of the CRM has other keys."""
    return _digest(FORMAT, settings.MACROCRM_URL, settings.MACROCRM_DOMAIN, *parts)


@lru_cache(maxsize=4096)
def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def recall(keys: Iterable[str]) -> tuple[dict[str, Remembered], Outage | None]:
    """The entries that are good for these keys, and the outage if there is one."""
    outage_key, now = _outage_key(), time.time()
    stored = store.read_once([*keys, outage_key])
    known = stored.pop(outage_key, None)
    entries = {key: Remembered(*entry) for key, entry in stored.items()}
    good = {key: entry for key, entry in entries.items() if entry.good_until > now}
    outage = known and Outage(*known)
    return good, outage if outage and outage.good_until > now else None


def view(key: str) -> View:
    outage_key, drop_key = _outage_key(), _drop_key(key)
    stored = store.read([key, outage_key, drop_key])
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
    store.write(_drop_key(key), uuid.uuid4().hex, DROP_GOOD_FOR)
    store.delete(key)


def begin_outage(error: CRMError) -> None:
    pause = _pause(error)
    logger.warning("The CRM counts as out for %g s: %s", pause, error)
    store.write(_outage_key(), (error, time.time() + pause), pause + FAILURE_GOOD_FOR)


def put_off_retry(outage: Outage, seconds: float) -> None:
    """One caller tries whether the outage is over: nobody else should, for so long."""
    retry_at = time.time() + seconds
    store.write(_outage_key(), (outage.error, retry_at), seconds + FAILURE_GOOD_FOR)


def end_outage() -> None:
    store.delete(_outage_key())


def keep_body(name: str, body: bytes, seconds: float) -> None:
    """Remember something large beside the small entry that names it."""
    store.write(key_of("body", name), body, seconds)


def body(name: str) -> bytes | None:
    key = key_of("body", name)
    found: bytes | None = store.read([key]).get(key)
    return found


def _keep(key: str, seen: View, entry: Remembered) -> None:
    if _is_dropped_since(key, seen):
        # What the CRM said may be from before.
        return
    times = (entry.read_at, entry.fresh_until, entry.good_until)
    store.write(key, (entry.answer, *times, entry.error), entry.good_until - time.time())
    if _is_dropped_since(key, seen):
        # At this very moment.
        store.delete(key)


def _is_dropped_since(key: str, seen: View) -> bool:
    dropped: str | None = store.read([_drop_key(key)]).get(_drop_key(key))
    return dropped != seen.dropped


def _pause(error: CRMError) -> float:
    asked = error.retry_after if isinstance(error, CRMUnavailable) else None
    return min(max(asked or 0, FAILURE_FRESH_FOR), LONGEST_PAUSE)


def _outage_key() -> str:
    return key_of("outage")


def _drop_key(key: str) -> str:
    return f"{key}:dropped"
