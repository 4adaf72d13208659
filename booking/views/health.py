"""Probes of load balancers, for any host name. Neither calls the CRM."""

from __future__ import annotations

import threading
import time

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking.database.probe import PROBE_TIMEOUT, try_a_write
from booking.database.timeouts import timeout
from booking.models import Booking

# Seconds between tries of the database, because the probe is public.
GOOD_FOR = 1.0


@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 if the database takes a write and has every migration, else 503."""
    if problem := readiness.problem():
        return HttpResponse(f"{problem}\n", "text/plain", status=503)
    return HttpResponse("ready\n", "text/plain")


class Readiness:
    """The last result of the readiness check in this process.

    One thread checks; others don't wait, or a database that hangs would hold them all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problem = "not known yet"
        self._good_until = 0.0
        self._is_migrated = False

    def problem(self) -> str:
        if time.monotonic() >= self._good_until and self._lock.acquire(blocking=False):
            try:
                self._problem = self._look()
                self._good_until = time.monotonic() + GOOD_FOR
            finally:
                self._lock.release()
        return self._problem

    def _look(self) -> str:
        try:
            with timeout(PROBE_TIMEOUT):
                _ask_the_database()
                # Looked up until none is pending, and then no more: it is expensive.
                self._is_migrated = self._is_migrated or _has_all_migrations()
        except Error:
            return "the database does not answer"
        if not self._is_migrated:
            return "migrations are pending"
        try:
            try_a_write(Booking._meta.db_table)
        except Error:
            return "the database takes no write"
        return ""


readiness = Readiness()


def _ask_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _has_all_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
