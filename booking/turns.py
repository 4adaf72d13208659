"""Turns for transactions that count before they write, so that none overlooks another's row."""

from __future__ import annotations

from django.db import connection


def take(what: str) -> None:
    """Wait for others who count the same, until the end of the transaction.

    Without it, transactions of PostgreSQL would not see each other's rows. SQLite's are one after
    another anyway. Take several turns in one order everywhere, or two may wait for each other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
