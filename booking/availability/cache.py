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
from typing import Any

from django.conf import settings
from django.db import connections

from booking import crm_budget, shared_cache
from booking.crm import CRMBusy, CRMError, CRMRefused, CRMUnreadable
from booking.database.pool import give_back
from booking.observability import metrics

logger = logging.getLogger(__name__)

# Changes whenever an entry's shape does: versions of the site may share a database.
FORMAT = "2"
# For how long a process uses what it has read without reading it again, in seconds.
REUSE_FOR = 1.0
# Fresh periods are shortened by up to this share, so that what was read together does not end so.
JITTER = 0.2
# How long a failure stands before one caller tries again, and for how long beyond that the others
# get it, in seconds.
FAILURE_FRESH_FOR = 5.0
FAILURE_GOOD_FOR = 30.0
# This many calls without an answer, one after another, are an outage of the CRM.
OUTAGE_AFTER = 3
ANSWERS = (CRMRefused, CRMUnreadable, CRMBusy)
# What a call may take beside the CRM: a queue, a slow disk. In seconds.
MARGIN = 2.0
NO_CALLS = "no calls"
# How often one who waits for another process looks, in seconds.
POLL = 0.05
# Longer than any entry that it makes old.
GENERATION_GOOD_FOR = 2 * 24 * 3600.0
_RANDOM = random.SystemRandom()


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
        if entry is None:
            return False
        fresh_until = 0.0 if entry.error else entry.read_at + self.fresh_for * entry.share
        return time.time() < max(fresh_until, entry.retry_at)

    def may_show(self, entry: Entry | None) -> bool:
        return entry is not None and (self.is_fresh(entry) or entry.age < self.shown_for)


def key_of(*parts: str) -> str:
    """A key for any texts. Each installation of the CRM has its own."""
    installation = _digest(FORMAT, settings.MACROCRM_URL, settings.MACROCRM_DOMAIN)
    return f"{installation}:{_digest(*parts)}"


def get_many(
    lookups: Sequence[Lookup], *, wait_for: float, wanted_for: float = 0.0, anew: bool = False
) -> list[Entry | None]:
    """The answers, as far as they are known after so many seconds; None is too late.

    `wanted_for`: for so long they are still of use later. `anew`: not even what this process has
    read within the last second is used.
    """
    entries = _entries([lookup.key for lookup in lookups], anew=anew)
    due = [lookup for lookup in lookups if not lookup.is_fresh(entries[lookup.key])]
    missing = {lookup.key for lookup in due if not lookup.may_show(entries[lookup.key])}
    metrics.count_cache_looks(
        fresh=len(lookups) - len(due), stale=len(due) - len(missing), missing=len(missing)
    )
    if outage := entries[_outage_key(lookups[0].key)]:
        if due and time.time() >= outage.retry_at:
            _readers().submit(due[0], max(wait_for, wanted_for))
        return [entries[lookup.key] or outage for lookup in lookups]
    awaited = {}
    for lookup in sorted(due, key=lambda lookup: lookup.key not in missing):
        is_urgent = lookup.key in missing and not lookup.urgency
        # Or every page would knock in vain, where the CRM bore no more within the last second.
        if is_urgent or (NO_CALLS, lookup.urgency) not in entries:
            future = _readers().submit(lookup, max(wait_for, wanted_for))
            if lookup.key in missing:
                awaited[lookup.key] = future
    if awaited and wait_for:
        give_back()
        wait(awaited.values(), timeout=wait_for)
    return [
        _landed(awaited.get(lookup.key)) if lookup.key in missing else entries[lookup.key]
        for lookup in lookups
    ]


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


def recent() -> dict[Hashable, Any]:
    """What this process has found out within the last second, to be added to.

    It is replaced as a whole: a thread that began to read before keeps what it finds to itself.
    """
    if time.monotonic() - _latest.began_at >= REUSE_FOR:
        forget_recent()
    return _latest.found


def forget_recent() -> None:
    global _latest
    _latest = _Recent(began_at=time.monotonic())


def wait_for_reads() -> None:
    """Wait until this process has read what it has begun to. Tests do, between two of them."""
    wait(_readers().under_way(), timeout=longest_read())


def longest_read() -> float:
    """How long a read may take at the most, in seconds."""
    return float(settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT) + MARGIN


@dataclass(frozen=True, slots=True)
class _Recent:
    began_at: float
    found: dict[Hashable, Any] = field(default_factory=dict)


_latest = _Recent(began_at=0.0)


def _entries(keys: Sequence[str], *, anew: bool = False) -> dict[Hashable, Any]:
    """By key, the entries of the latest generation, and the outage; None for what there is not."""
    entries = {} if anew else recent()
    unread = [key for key in (*keys, _outage_key(keys[0])) if key not in entries]
    if unread:
        found = shared_cache.get_many([*unread, *map(_generation_key, keys)])
        for key in unread:
            entry: Entry | None = found.get(key)
            is_old = entry and entry.generation != found.get(_generation_key(key), "")
            entries[key] = None if is_old else entry
    return entries


@dataclass(slots=True)
class _Flight:
    """One lookup on its way through this process."""

    lookup: Lookup
    context: Context
    future: Future[Entry | None] = field(default_factory=Future)
    has_begun: bool = False
    # Until when a page waits for it, by the monotonic clock.
    wanted_until: float = 0.0

    @property
    def is_wanted(self) -> bool:
        return time.monotonic() <= self.wanted_until


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

    def submit(self, lookup: Lookup, wanted_for: float) -> Future[Entry | None]:
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
            flight.wanted_until = max(flight.wanted_until, time.monotonic() + wanted_for)
        return flight.future

    def under_way(self) -> list[Future[Entry | None]]:
        with self._guard:
            return [flight.future for flight in self._flights.values()]

    def part_with(self, key: str) -> None:
        """Let later callers begin anew instead of joining what is under way."""
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
            with self._guard:
                if self._flights.get(flight.lookup.key) is flight:
                    del self._flights[flight.lookup.key]
            connections.close_all()

    def _fetched(self, flight: _Flight) -> Entry | None:
        """What another process has asked meanwhile, or what the CRM says now."""
        lookup, lease = flight.lookup, f"{flight.lookup.key}:lease"
        while flight.is_wanted:
            here, entries = recent(), _entries([lookup.key], anew=True)
            here.update(entries)
            entry: Entry | None = entries[lookup.key]
            outage: Entry | None = entries[_outage_key(lookup.key)]
            if lookup.is_fresh(entry):
                return entry
            if outage and not _may_try(outage, lookup.key):
                return entry or outage
            if shared_cache.add(lease, True, longest_read()):
                try:
                    return self._asked(lookup, entry, outage) if self._may_call(flight) else entry
                finally:
                    shared_cache.delete(lease)
            while flight.is_wanted and lease in shared_cache.get_many([lease]):
                time.sleep(POLL)
        return None

    def _may_call(self, flight: _Flight) -> bool:
        """Whether the CRM bears one more call. Only what is urgent waits for it."""
        urgency = flight.lookup.urgency
        while seconds := crm_budget.take(urgency):
            if urgency or time.monotonic() + seconds > flight.wanted_until:
                recent()[NO_CALLS, urgency] = True
                return False
            time.sleep(seconds)
        return True

    def _asked(self, lookup: Lookup, entry: Entry | None, outage: Entry | None) -> Entry:
        """What the CRM says now; once more if a new generation has begun meanwhile."""
        for _try in range(2):
            generation = _generation(lookup.key)
            made = self._read(lookup, entry, generation, outage)
            here = recent()
            if _generation(lookup.key) == generation:
                good_for = lookup.kept_for - made.age
                if made.error:
                    good_for = made.retry_at - time.time() + FAILURE_GOOD_FOR
                shared_cache.set(lookup.key, made, good_for)
                here[lookup.key] = made
                break
        return made

    def _read(
        self, lookup: Lookup, entry: Entry | None, generation: str, outage: Entry | None
    ) -> Entry:
        give_back()
        try:
            value = lookup.read()
        except CRMError as exc:
            self._note(lookup.key, exc, outage)
            retry_at = time.time() + FAILURE_FRESH_FOR
            if entry and not entry.error and entry.generation == generation:
                # The answer that is known stands for longer.
                return replace(entry, retry_at=retry_at)
            return Entry(None, time.time(), generation, retry_at=retry_at, error=exc)
        self._note(lookup.key, None, outage)
        share = _RANDOM.uniform(1 - JITTER, 1)
        return Entry(value, time.time(), generation, share)

    def _note(self, key: str, error: CRMError | None, outage: Entry | None) -> None:
        """Begin or end the outage of the CRM, if this call tells of it."""
        is_answer = error is None or isinstance(error, ANSWERS)
        with self._guard:
            self._failures_in_a_row = 0 if is_answer else self._failures_in_a_row + 1
            is_out = not is_answer and (outage or self._failures_in_a_row >= OUTAGE_AFTER)
            if is_out:
                # Another process may end the outage: then it takes as many again.
                self._failures_in_a_row = 0
        if is_out:
            logger.warning("The CRM counts as out for %g s: %s", FAILURE_FRESH_FOR, error)
            retry_at = time.time() + FAILURE_FRESH_FOR
            begun = Entry(None, time.time(), retry_at=retry_at, error=error)
            shared_cache.set(_outage_key(key), begun, FAILURE_FRESH_FOR + FAILURE_GOOD_FOR)
        elif outage:
            shared_cache.delete(_outage_key(key))
        if is_out or outage:
            shared_cache.delete(_trial_key(key))
            forget_recent()


def _generation(key: str) -> str:
    name = _generation_key(key)
    generation: str = shared_cache.get_many([name]).get(name, "")
    return generation


def _landed(future: Future[Entry | None] | None) -> Entry | None:
    return future.result() if future and future.done() else None


def _may_try(outage: Entry, key: str) -> bool:
    """Whether this caller is the one to try if the outage is over."""
    trial = _trial_key(key)
    if time.time() < outage.retry_at or trial in shared_cache.get_many([trial]):
        return False
    return shared_cache.add(trial, True, longest_read())


def _generation_key(key: str) -> str:
    return f"{key}:generation"


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
