"""Advisory locks that serialise transactions which count rows before they write one."""

from __future__ import annotations

from django.db import connection


def take(what: str) -> None:
    """Hold the lock `what` until the end of the transaction.

    Without it, parallel transactions on PostgreSQL would not count each other's rows; SQLite has
    one writer anyway. Take several locks always in the same order, or transactions deadlock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
