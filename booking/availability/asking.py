"""Asks the CRM once for all who want to know the same, and lets nobody wait who need not.

An answer that is known is used at once; when it is no longer fresh, one caller asks anew in the
background. What is not known is asked by one caller and waited for by the others: threads of this
process share a future, other workers and machines a mutex. No more than MACROCRM_CONCURRENCY calls
run at once in a process; a call that has to queue until its page has gone is not made at all.

A failure is remembered as an answer is. When several calls in a row have failed, the CRM counts as
out: pages get what is known, and the error for the rest, at once, and every few seconds one caller
tries in the background whether it is over.

dogpile.cache was made for the heart of this: its `Lock` decides who creates a value, who waits for
it and who takes the old one, and is used. Its regions and backends are not. They know no failures,
so every waiting caller would repeat a call that hangs; their file backend has one mutex for all
keys, so no two days could be asked at once; and the store is Django's cache anyway, which
`CACHE_URL` configures for everything. Nor is its `FileLock`: to it a file system without locks is a
lock that is never free.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.conf import settings
from dogpile import Lock, NeedRegenerationException

from booking.availability import memory, store
from booking.availability.memory import Outage, Remembered, View
from booking.availability.mutexes import mutex_of, retry_mutex
from booking.crm import CRMError, CRMRefused, CRMUnreadable
from booking.watch import metrics

logger = logging.getLogger(__name__)

# What a call may take beside the CRM: a queue, a slow disk. In seconds.
MARGIN = 2.0
# So many calls without an answer, one after another, are an outage of the CRM.
OUTAGE_AFTER = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to know from the CRM.

    `ask` gets the answer, in plain values, or raises CRMError. The answer is fresh for so many
    seconds and may be shown, stale, for so many more.
    """

    key: str
    ask: Callable[[], Any]
    fresh_for: float
    good_for: float


@dataclass(frozen=True, slots=True)
class PutTogether(Generic[T]):
    """Something made of answers, and until when they are fresh, as `time.time()` counts."""

    value: T
    until: float


@dataclass(slots=True)
class Flight:
    """One question on its way through this process."""

    future: Future[Remembered | None] = field(init=False)
    # Until when a page waits for it, by the monotonic clock.
    wanted_until: float = 0.0


def look(
    questions: Sequence[Question],
    *,
    patience: float,
    first_patience: float = 0.0,
    stale_will_do: bool = True,
) -> list[Remembered | None]:
    """What is known of each question when the patience ends, in seconds; None was too late.

    The first question may be worth waiting for longer. Without `stale_will_do`, a stale answer is
    waited for as an unknown one is.
    """
    entries, outage = memory.recall(question.key for question in questions)
    if not stale_will_do:
        entries = {key: entry for key, entry in entries.items() if entry.is_fresh}
    due = [q for q in questions if q.key not in entries or not entries[q.key].is_fresh]
    missing = sum(question.key not in entries for question in due)
    metrics.note_looks(fresh=len(questions) - len(due), stale=len(due) - missing, missing=missing)
    if outage:
        if outage.is_due and due:
            _desk().ask(due[0], patience)
        return [entries.get(question.key) or _failed(outage.error) for question in questions]
    waited_for = _asked_side_by_side(questions[0], due, entries, patience, first_patience)
    return [entries.get(q.key) or _landed(waited_for[q.key]) for q in questions]


def put_together(name: Hashable, looks: int, make: Callable[[], PutTogether[T]]) -> T:
    """What is made of so many answers: between two answers of the CRM all buyers see the same.

    So it is made once, until they are no longer fresh or somebody writes.
    """
    kept = store.once("put together", dict[Hashable, PutTogether[T]])
    made = kept.get(name)
    if made and time.time() < made.until:
        metrics.note_looks(fresh=looks)
    else:
        made = kept[name] = make()
    return made.value


def known(key: str) -> Remembered | None:
    """What is remembered; nobody is asked."""
    entries, _outage = memory.recall([key])
    return entries.get(key)


def forget(key: str) -> None:
    """Drop an answer everywhere. Who asks from now on gets one that is newer than this moment."""
    memory.drop(key)
    _desk().forget(key)


def longest_read() -> float:
    """How long a read may take at the most, in seconds."""
    return float(settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT) + MARGIN


class Desk:
    """The threads of this process that may talk to the CRM for pages, and what they are at."""

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(max_workers=size, thread_name_prefix="crm-read")
        self._flights: dict[str, Flight] = {}
        self._guard = threading.Lock()
        self._failures_in_a_row = 0

    def ask(self, question: Question, patience: float) -> Future[Remembered | None]:
        """The answer to come, shared with everybody here who waits for the same."""
        with self._guard:
            flight = self._flights.get(question.key)
            if flight is None:
                flight = self._flights[question.key] = Flight()
                # In the context of the request that asks first: what is logged on the way is its.
                fly = copy_context().run
                flight.future = self._threads.submit(fly, self._fly, question, flight)
                flight.future.add_done_callback(_log_bug)
            flight.wanted_until = max(flight.wanted_until, time.monotonic() + patience)
        return flight.future

    def forget(self, key: str) -> None:
        """Whoever asks from now on does not join what is under way."""
        with self._guard:
            self._flights.pop(key, None)

    def _fly(self, question: Question, flight: Flight) -> Remembered | None:
        try:
            return self._renewed(question) if self._is_wanted(question.key, flight) else None
        except TimeoutError:
            logger.warning("A lock was not free in time: somebody asks the CRM for too long.")
            return None
        finally:
            self._land(question.key, flight)

    def _is_wanted(self, key: str, flight: Flight) -> bool:
        with self._guard:
            if time.monotonic() <= flight.wanted_until:
                return True
            # From here on nobody joins, or they would wait for what is not going to be asked.
            self._remove(key, flight)
            return False

    def _land(self, key: str, flight: Flight) -> None:
        with self._guard:
            self._remove(key, flight)

    def _remove(self, key: str, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _renewed(self, question: Question) -> Remembered:
        """What is fresh now, asked for by one caller of all processes."""

        def remembered() -> tuple[Remembered, float]:
            entry = known(question.key)
            if entry is None:
                raise NeedRegenerationException
            return entry, entry.fresh_until

        mutex = mutex_of(question.key, patience=longest_read())
        # dogpile counts an expiry time from the moment of creation; ours is the end of freshness.
        with Lock(mutex, lambda: self._created(question), remembered, 0) as entry:  # type: ignore[no-untyped-call]
            renewed: Remembered = entry
        return renewed

    def _created(self, question: Question) -> tuple[Remembered, float]:
        seen = memory.view(question.key)
        if seen.entry and seen.entry.is_fresh:
            entry = seen.entry
        elif seen.outage and not _may_retry(seen.outage):
            entry = seen.entry or _failed(seen.outage.error)
        else:
            entry = self._asked(question, seen)
            again = memory.view(question.key)
            if again.dropped != seen.dropped:
                # By another process, too. Who has come since wants what is newer than that.
                entry = self._asked(question, again)
        return entry, entry.fresh_until

    def _asked(self, question: Question, seen: View) -> Remembered:
        try:
            answer = question.ask()
        except CRMError as exc:
            self._note_failure(exc, seen)
            return memory.keep_failure(question.key, seen, exc)
        self._note_answer(seen)
        return memory.keep_answer(
            question.key, seen, answer, fresh_for=question.fresh_for, good_for=question.good_for
        )

    def _note_failure(self, error: CRMError, seen: View) -> None:
        if isinstance(error, CRMRefused | CRMUnreadable):
            self._note_answer(seen)
            return
        with self._guard:
            self._failures_in_a_row += 1
            is_out = bool(seen.outage) or self._failures_in_a_row >= OUTAGE_AFTER
            if is_out:
                # Whoever ends the outage may be another process: then it takes as many again.
                self._failures_in_a_row = 0
        if is_out:
            memory.begin_outage(error)

    def _note_answer(self, seen: View) -> None:
        with self._guard:
            self._failures_in_a_row = 0
        if seen.outage:
            memory.end_outage()


def _asked_side_by_side(
    first: Question,
    due: Sequence[Question],
    entries: Mapping[str, Remembered],
    patience: float,
    first_patience: float,
) -> dict[str, Future[Remembered | None]]:
    """Asks what is due, unknown things first; waits for those, and returns their futures."""
    desk = _desk()
    waited_for = {}
    for question in due:
        if question.key not in entries:
            longest = max(patience, first_patience) if question is first else patience
            waited_for[question.key] = desk.ask(question, longest)
    for question in due:
        if question.key in entries:
            desk.ask(question, patience)
    wait(waited_for.values(), timeout=patience)
    if first.key in waited_for:
        wait([waited_for[first.key]], timeout=max(0, first_patience - patience))
    return waited_for


def _log_bug(future: Future[Remembered | None]) -> None:
    """Nobody may be waiting for a refresh, and then nobody would see what is wrong in it."""
    if error := future.exception():
        logger.error("A read broke off", exc_info=error)


def _landed(future: Future[Remembered | None]) -> Remembered | None:
    return future.result() if future.done() else None


def _failed(error: CRMError) -> Remembered:
    return Remembered(None, 0, 0, 0, error)


def _may_retry(outage: Outage) -> bool:
    """Whether this caller is the one to try if the outage is over."""
    mutex = retry_mutex(memory.key_of("retry"))
    if not outage.is_due or not mutex.acquire(False):
        return False
    try:
        _entries, latest = memory.recall([])
        if latest and latest.is_due:
            memory.put_off_retry(latest, longest_read())
        return latest is None or latest.is_due
    finally:
        mutex.release()


def _desk() -> Desk:
    return _desk_of(settings.MACROCRM_CONCURRENCY, settings.MACROCRM_URL)


@lru_cache(maxsize=4)
def _desk_of(size: int, _crm: str) -> Desk:
    return Desk(size)
