"""What a write of the journal takes while the cache is written, too (SQLite).

Both as the site writes them: the journal's row outlives a power cut, the cache lies beside it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench import figures
from bench.figures import Figure

INSERTS = 1000
CACHE_WRITES = 20  # a second
# As a day of a house, pickled.
ENTRY = "x" * 600
GOAL = 2.0
CACHE = "CREATE TABLE cache (key INTEGER PRIMARY KEY, value TEXT)"
JOURNAL = "CREATE TABLE journal (id INTEGER PRIMARY KEY, row TEXT)"


def measure(folder: Path) -> Iterator[Figure]:
    alone = _p99(folder / "alone.sqlite3")
    with _cache_written(folder / "cache.sqlite3"):
        beside = _p99(folder / "beside.sqlite3")
    yield figures.milliseconds("insert into the journal: p99", alone)
    note = f"{CACHE_WRITES} a second, {beside * 1000:.2f} ms"
    name = "p99 while the cache is written: times"
    yield figures.at_most(name, beside / alone, GOAL, note=note)


def _p99(file: Path) -> float:
    took = []
    with closing(_opened(file, JOURNAL, "FULL")) as journal:
        for number in range(INSERTS):
            began_at = time.perf_counter()
            journal.execute("INSERT INTO journal VALUES (?, ?)", [number, ENTRY])
            took.append(time.perf_counter() - began_at)
            time.sleep(0.002)
    return sorted(took)[int(INSERTS * 0.99)]


@contextmanager
def _cache_written(file: Path) -> Iterator[None]:
    over = threading.Event()

    def write() -> None:
        with closing(_opened(file, CACHE, "NORMAL")) as cache:
            number = 0
            while not over.wait(1 / CACHE_WRITES):
                cache.execute("REPLACE INTO cache VALUES (?, ?)", [number % 500, ENTRY])
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _opened(file: Path, table: str, synchronous: str) -> sqlite3.Connection:
    database = sqlite3.connect(file, isolation_level=None)
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; {table};")
    return database
