"""Single-flight CRM reads with stale-while-revalidate, remembered for all processes.

A fresh answer is used at once; a stale one too, while one caller asks again in the background. An
unknown one is asked for by one caller and waited for by the others: threads of one process share a
future, processes a lease, which runs out if its holder dies. At most MACROCRM_CONCURRENCY calls run
in a process; one that has queued until its page is gone is not made.

A failure is remembered as an answer is. After several in a row the CRM counts as out: pages get at
once what is known, and the error for the rest, while one caller tries every few seconds.

Each entry carries the generation of its key in which it was asked for. `invalidate` begins a new
one, and entries of an older one are passed over: a read that began before a booking never brings
the old day back.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from functools import lru_cache
from queue import PriorityQueue
from typing import Any, TypeVar

from django.conf import settings
from django.db import connections

from booking import crm_budget, shared_cache
from booking.crm import CRMBusy, CRMError, CRMRefused, CRMUnavailable, CRMUnreadable
from booking.database.pool import give_back
from booking.watch import metrics

logger = logging.getLogger(__name__)

# Changes whenever an entry's shape does: versions of the site may share a database.
FORMAT = "2"
# For how long a process uses what it has read without reading it again, in seconds.
REUSE_FOR = 1.0
# Fresh periods are shortened by up to this share, so that what was read together does not end so.
JITTER = 0.2
# How long a failure stands before one caller tries again, and for how long beyond that the others
# get it, in seconds. A CRM that asks for a pause gets it, up to the third.
FAILURE_FRESH_FOR = 5.0
FAILURE_GOOD_FOR = 30.0
LONGEST_PAUSE = 60.0
# This many calls without an answer, one after another, are an outage of the CRM.
OUTAGE_AFTER = 3
# What a call may take beside the CRM: a queue, a slow disk. In seconds.
MARGIN = 2.0
# How often one who waits for another process looks, in seconds.
POLL = 0.05
# Longer than any entry that it makes old.
GENERATION_GOOD_FOR = 2 * 24 * 3600.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer of the CRM in plain values, or the failure to get one. Times are unix times."""

    value: Any
    read_at: float
    generation: str = ""
    # The share of each fresh period that is this entry's own.
    share: float = 1.0
    # After a failure: when to ask again.
    retry_at: float = 0.0
    error: CRMError | None = None

    @property
    def age(self) -> float:
        return time.time() - self.read_at

    def is_fresh(self, fresh_for: float) -> bool:
        fresh_until = 0.0 if self.error else self.read_at + fresh_for * self.share
        return time.time() < max(fresh_until, self.retry_at)


@dataclass(frozen=True, slots=True)
class Outage:
    """The CRM answers nobody: what to tell, and when to try again."""

    error: CRMError
    retry_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What to ask the CRM, and for how long an answer serves, in seconds.

    It is fresh at first, then shown while it is asked for again, then waited for; all from the
    moment it was read. The urgent ones, with a lower number, go first.
    """

    key: str
    read: Callable[[], Any]
    fresh_for: float
    shown_for: float
    kept_for: float
    urgency: int = 0

    def is_fresh(self, entry: Entry | None) -> bool:
        return entry is not None and entry.is_fresh(self.fresh_for)

    def may_show(self, entry: Entry | None) -> bool:
        return entry is not None and (self.is_fresh(entry) or entry.age < self.shown_for)


def key_of(*parts: str) -> str:
    """A key for any texts. Each installation of the CRM has its own."""
    installation = _digest(FORMAT, settings.MACROCRM_URL, settings.MACROCRM_DOMAIN)
    return f"{installation}:{_digest(*parts)}"


def get_many(
    lookups: Sequence[Lookup], *, wait_for: float, wait_for_first: float = 0.0, anew: bool = False
) -> list[Entry | None]:
    """The answers, as far as they are known when the time is up, in seconds; None was too late.

    `anew`: not even what this process has read within the last second is used.
    """
    entries = _entries([lookup.key for lookup in lookups], anew=anew)
    due = [lookup for lookup in lookups if not lookup.is_fresh(entries[lookup.key])]
    missing = [lookup for lookup in due if not lookup.may_show(entries[lookup.key])]
    metrics.note_looks(
        fresh=len(lookups) - len(due), stale=len(due) - len(missing), missing=len(missing)
    )
    outage = entries[_outage_key(lookups[0].key)]
    if outage:
        if due and time.time() >= outage.retry_at:
            _readers().submit(due[0], wait_for)
        return [entries[lookup.key] or _failed(outage.error) for lookup in lookups]
    first, readers = lookups[0], _readers()
    awaited = {}
    for lookup in missing:
        longest = max(wait_for, wait_for_first) if lookup is first else wait_for
        awaited[lookup.key] = readers.submit(lookup, longest)
    for lookup in due:
        # Every page would knock again for what is only stale.
        if lookup.key not in awaited and _no_calls(lookup.urgency) not in entries:
            readers.submit(lookup, wait_for)
    if awaited:
        give_back()
    wait(awaited.values(), timeout=wait_for)
    if first.key in awaited:
        wait([awaited[first.key]], timeout=max(0, wait_for_first - wait_for))
    return [
        _landed(awaited[lookup.key]) if lookup.key in awaited else entries[lookup.key]
        for lookup in lookups
    ]


def get(key: str) -> Entry | None:
    """What is known now; the CRM is not asked."""
    entry: Entry | None = _entries([key], anew=True)[key]
    return entry


def known(keys: Iterable[str]) -> dict[str, Entry | None]:
    """What was known within the last second; the CRM is not asked."""
    wanted = list(keys)
    entries = _entries(wanted)
    return {key: entries[key] for key in wanted}


def invalidate(key: str) -> None:
    """Begin a new generation: later callers get an answer that is newer than this moment."""
    shared_cache.set(_generation_key(key), uuid.uuid4().hex, GENERATION_GOOD_FOR)
    forget_recent()
    _readers().part_with(key)


def recent(name: Hashable, make: Callable[[], T]) -> T:
    """What `make` returns, made once in a while that a process reuses what it has read."""
    known = _recent()
    if name not in known:
        known[name] = make()
    made: T = known[name]
    return made


def forget_recent() -> None:
    """Reuse nothing that this process has read so far."""
    global _latest
    _latest = _Recent(read_at=time.monotonic())


def longest_read() -> float:
    """How long a read may take at the most, in seconds."""
    return float(settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT) + MARGIN


@dataclass(frozen=True, slots=True)
class _Recent:
    """What this process has read of the shared cache since a moment; None is what is not there."""

    read_at: float
    known: dict[Hashable, Any] = field(default_factory=dict)


_latest = _Recent(read_at=0.0)


def _recent() -> dict[Hashable, Any]:
    """Replaced as a whole: a thread that began to read before keeps what it reads to itself."""
    if time.monotonic() - _latest.read_at >= REUSE_FOR:
        forget_recent()
    return _latest.known


def _entries(keys: Sequence[str], *, anew: bool = False) -> dict[Hashable, Any]:
    """By key, the entries of the latest generation, and the outage; None for what there is not."""
    known = {} if anew else _recent()
    unread = [key for key in (*keys, _outage_key(keys[0])) if key not in known]
    if unread:
        found = shared_cache.get_many([*unread, *map(_generation_key, keys)])
        for key in unread:
            entry = found.get(key)
            is_old = isinstance(entry, Entry) and entry.generation != found.get(
                _generation_key(key), ""
            )
            known[key] = None if is_old else entry
    return known


@dataclass(slots=True)
class _Flight:
    """One lookup on its way through this process."""

    lookup: Lookup
    context: Context
    future: Future[Entry | None] = field(default_factory=Future)
    has_begun: bool = False
    # Until when a page waits for it, by the monotonic clock.
    wanted_until: float = 0.0


class Readers:
    """The threads of this process that may read from the CRM for pages, the most urgent first."""

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="crm-read")
        # A flight that has become more urgent stands in it twice.
        self._queue: PriorityQueue[tuple[int, int, _Flight]] = PriorityQueue()
        self._numbers = itertools.count()
        self._flights: dict[str, _Flight] = {}
        self._guard = threading.Lock()
        self._failures_in_a_row = 0

    def submit(self, lookup: Lookup, wait_for: float) -> Future[Entry | None]:
        """The answer to come, shared by all in this process who wait for the same."""
        with self._guard:
            flight = self._flights.get(lookup.key)
            if flight is None or lookup.urgency < flight.lookup.urgency:
                if flight is None or flight.has_begun:
                    # In the context of the first request, which is whose it is in the logs.
                    flight = self._flights[lookup.key] = _Flight(lookup, copy_context())
                flight.lookup = lookup
                self._queue.put((lookup.urgency, next(self._numbers), flight))
                self._threads.submit(self._next)
            flight.wanted_until = max(flight.wanted_until, time.monotonic() + wait_for)
        return flight.future

    def part_with(self, key: str) -> None:
        """Whoever asks from now on does not join what is under way."""
        with self._guard:
            self._flights.pop(key, None)

    def _next(self) -> None:
        """The most urgent flight, unless it has begun: it may have been queued twice."""
        _urgency, _number, flight = self._queue.get()
        with self._guard:
            if flight.has_begun:
                return
            flight.has_begun = True
        try:
            flight.future.set_result(flight.context.run(self._fetched, flight))
        except Exception as exc:
            logger.exception("A read broke off")
            flight.future.set_exception(exc)
        finally:
            connections.close_all()

    def _fetched(self, flight: _Flight) -> Entry | None:
        key = flight.lookup.key
        lease = f"{key}:lease"
        try:
            while self._is_wanted(flight):
                entries = _entries([key], anew=True)
                entry: Entry | None = entries[key]
                outage: Outage | None = entries[_outage_key(key)]
                if entry and flight.lookup.is_fresh(entry):
                    return entry
                if outage and not _may_try(outage, key):
                    return entry or _failed(outage.error)
                if shared_cache.add(lease, True, longest_read()):
                    try:
                        if not self._may_call(flight):
                            return entry
                        return self._asked(flight.lookup, lease, entry, outage)
                    finally:
                        shared_cache.delete(lease)
                while self._is_wanted(flight) and lease in shared_cache.get_many([lease]):
                    time.sleep(POLL)
            return None
        finally:
            self._land(flight)

    def _asked(
        self, lookup: Lookup, lease: str, entry: Entry | None, outage: Outage | None
    ) -> Entry:
        """What the CRM says now; once more if the generation has changed meanwhile."""
        began_in = _generation(lookup.key)
        entry = self._read(lookup, entry, began_in, outage)
        recent = _recent()
        if (generation := _generation(lookup.key)) != began_in:
            shared_cache.set(lease, True, longest_read())
            entry = self._read(lookup, None, generation, outage)
        _keep(lookup, entry)
        recent[lookup.key] = entry
        return entry

    def _may_call(self, flight: _Flight) -> bool:
        """Whether the CRM bears one more call. Only what is urgent waits for it."""
        urgency = flight.lookup.urgency
        while seconds := crm_budget.take(urgency):
            if urgency or time.monotonic() + seconds > flight.wanted_until:
                _recent()[_no_calls(urgency)] = True
                return False
            time.sleep(seconds)
        return True

    def _read(
        self, lookup: Lookup, entry: Entry | None, generation: str, outage: Outage | None
    ) -> Entry:
        try:
            value = lookup.read()
        except CRMError as exc:
            self._note_failure(lookup.key, exc, outage)
            retry_at = time.time() + _pause(exc)
            if entry and entry.error is None:
                # The answer that is known stands for longer.
                return replace(entry, retry_at=retry_at)
            return Entry(None, time.time(), generation, retry_at=retry_at, error=exc)
        self._note_answer(lookup.key, outage)
        share = random.uniform(1 - JITTER, 1)  # noqa: S311 - not a secret
        return Entry(value, time.time(), generation, share)

    def _note_failure(self, key: str, error: CRMError, outage: Outage | None) -> None:
        if isinstance(error, CRMRefused | CRMUnreadable | CRMBusy):
            self._note_answer(key, outage)
            return
        with self._guard:
            self._failures_in_a_row += 1
            is_out = bool(outage) or self._failures_in_a_row >= OUTAGE_AFTER
            if is_out:
                # Another process may end the outage: then it takes as many again.
                self._failures_in_a_row = 0
        if is_out:
            _begin_outage(key, error)

    def _note_answer(self, key: str, outage: Outage | None) -> None:
        with self._guard:
            self._failures_in_a_row = 0
        if outage:
            _end_outage(key)

    def _is_wanted(self, flight: _Flight) -> bool:
        with self._guard:
            if time.monotonic() <= flight.wanted_until:
                return True
            # From here on nothing joins it, or would wait for what is not going to be asked.
            self._remove(flight)
            return False

    def _land(self, flight: _Flight) -> None:
        with self._guard:
            self._remove(flight)

    def _remove(self, flight: _Flight) -> None:
        if self._flights.get(flight.lookup.key) is flight:
            del self._flights[flight.lookup.key]


def _keep(lookup: Lookup, entry: Entry) -> None:
    good_for = lookup.kept_for - entry.age
    if entry.error:
        good_for = entry.retry_at - time.time() + FAILURE_GOOD_FOR
    shared_cache.set(lookup.key, entry, good_for)


def _generation(key: str) -> str:
    name = _generation_key(key)
    generation: str = shared_cache.get_many([name]).get(name, "")
    return generation


def _generation_key(key: str) -> str:
    return f"{key}:generation"


def _failed(error: CRMError) -> Entry:
    return Entry(None, time.time(), error=error)


def _landed(future: Future[Entry | None]) -> Entry | None:
    return future.result() if future.done() else None


def _begin_outage(key: str, error: CRMError) -> None:
    pause = _pause(error)
    logger.warning("The CRM counts as out for %g s: %s", pause, error)
    outage = Outage(error, time.time() + pause)
    shared_cache.set(_outage_key(key), outage, pause + FAILURE_GOOD_FOR)
    shared_cache.delete(_trial_key(key))
    forget_recent()


def _end_outage(key: str) -> None:
    shared_cache.delete(_outage_key(key))
    shared_cache.delete(_trial_key(key))
    forget_recent()


def _may_try(outage: Outage, key: str) -> bool:
    """Whether this caller is the one to try if the outage is over."""
    trial = _trial_key(key)
    if time.time() < outage.retry_at or trial in shared_cache.get_many([trial]):
        return False
    return shared_cache.add(trial, True, longest_read())


def _pause(error: CRMError) -> float:
    asked = error.retry_after if isinstance(error, CRMUnavailable) else None
    return min(max(asked or 0, FAILURE_FRESH_FOR), LONGEST_PAUSE)


def _no_calls(urgency: int) -> str:
    """Set while this process has found within the last second that the CRM bears no more."""
    return f"no calls of urgency {urgency}"


def _outage_key(key: str) -> str:
    """Of the whole installation to which a key belongs."""
    return f"{key.partition(':')[0]}:outage"


def _trial_key(key: str) -> str:
    return f"{_outage_key(key)}:trial"


@lru_cache(maxsize=4096)
def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _readers() -> Readers:
    return _readers_of(settings.MACROCRM_CONCURRENCY, settings.MACROCRM_URL)


@lru_cache(maxsize=4)
def _readers_of(size: int, _crm: str) -> Readers:
    return Readers(size)
