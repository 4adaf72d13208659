"""Counts who comes to each step, by day and source, without knowing who it is.

To arrive is to be shown a step by coming from elsewhere: to open it again, or another day on it, is
not. Counted in the process and added to the database every few seconds by a thread of its own, so
no buyer waits for it, not even for a database that is locked. A process that is killed loses what
it counted since.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter
from typing import Any

from django.core.signals import request_finished
from django.db import Error, connection
from django.utils import timezone

from booking.models import Arrival, StepArrivals

logger = logging.getLogger(__name__)

WRITE_EVERY = 15.0  # seconds
# A link may say anything: so many sources a day are told apart, those beyond are counted together.
MOST_SOURCES = 200
OTHERS = ("…", "")


class Tally:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: Counter[Arrival] = Counter()
        self._sources: set[tuple[str, str]] = set()
        self._today = timezone.localdate()
        self._write_at = time.monotonic() + WRITE_EVERY

    def note(self, step: int, source: dict[str, str]) -> None:
        today = timezone.localdate()
        with self._lock:
            if today != self._today:
                self._today, self._sources = today, set()
            told = self._told(source.get("utm_source", ""), source.get("ref", ""))
            self._counts[Arrival(today, step, *told)] += 1

    def write(self) -> None:
        """Now, or when a thread that is at it has done: the end of the process would cut it off."""
        with self._writing:
            self._add()

    def write_if_due(self) -> None:
        """In a thread of its own, one at a time."""
        if time.monotonic() >= self._write_at and self._writing.acquire(blocking=False):
            self._write_at = time.monotonic() + WRITE_EVERY
            try:
                threading.Thread(target=self._add_aside, name="arrivals", daemon=True).start()
            except RuntimeError:  # the process is ending
                self._writing.release()

    def _add_aside(self) -> None:
        try:
            self._add()
        finally:
            connection.close()  # the thread's own
            self._writing.release()

    def _add(self) -> None:
        """Where the database is away, the counts are kept for the next try."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            StepArrivals.objects.add(counts)
        except Error as exc:
            logger.warning("Arrivals are not written yet: %s", type(exc).__name__)
            with self._lock:
                self._counts.update(counts)

    def _told(self, utm_source: str, ref: str) -> tuple[str, str]:
        source = (utm_source, ref)
        if source in self._sources or len(self._sources) < MOST_SOURCES:
            self._sources.add(source)
            return source
        return OTHERS


tally = Tally()


def start() -> None:
    """Write from now on, whenever an answer has gone out, and at the end of the process."""
    request_finished.connect(_write_if_due)
    atexit.register(_write_the_rest)


def _write_if_due(**_kwargs: Any) -> None:
    tally.write_if_due()


def _write_the_rest() -> None:
    tally.write()
