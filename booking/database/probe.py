"""Try whether the journal takes a write, without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

from booking.database.timeouts import timeout

# Seconds. Probes want a quick answer, and a lock held for longer is a fault as well.
PROBE_TIMEOUT = 2.0
# A new table needs space on the disk, while a row may fit an existing page. Each of these took less
# than 3 ms. On SQLite a write reaches the disk only if it exceeds the cache.
NEW_TABLE = {
    "postgresql": "CREATE TEMPORARY TABLE handover_probe ON COMMIT DROP AS SELECT 1",
    "sqlite": "CREATE TABLE handover_probe AS SELECT zeroblob(65536)",
}
PAGES_OF_CACHE = 4
# SQLite's own, in kB.
USUAL_CACHE = -2000


def try_a_write(table: str) -> None:
    """Raise a Django database error if a row of that table can't be written now."""
    with timeout(PROBE_TIMEOUT), _impatient_sqlite(), transaction.atomic():
        with connection.cursor() as cursor:
            # Needs the privilege to write there, and a database that is not read-only.
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608
            cursor.execute(NEW_TABLE[connection.vendor])
        transaction.set_rollback(True)


@contextmanager
def _impatient_sqlite() -> Iterator[None]:
    if connection.vendor != "sqlite":
        yield
        return
    _set(busy_timeout=int(PROBE_TIMEOUT * 1000), cache_size=PAGES_OF_CACHE)
    try:
        yield
    finally:
        usual = settings.DATABASES["default"]["OPTIONS"]["timeout"]
        _set(busy_timeout=usual * 1000, cache_size=USUAL_CACHE)


def _set(**pragmas: int) -> None:
    with connection.cursor() as cursor:
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name} = {value}")
