"""The whole of a booking, from the button to the page that follows, beside bare inserts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench import journey
from bench.figures import Figure
from bench.stage import Stage, stage
from standin import ACCEPTED_PHONE
from tests.journey import hidden_fields
from tests.torture.browser import Browser

COUNT = 400
AT_ONCE = 8
TABLES = ("booking_booking", "booking_bookingevent")
# As the site writes: a committed row outlives a power cut.
DURABLE = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"


@dataclass(frozen=True, slots=True)
class Form:
    """Step 3 as it lies before a buyer, filled in."""

    browser: Browser
    fields: dict[str, str]


def measure(folder: Path) -> Iterator[Figure]:
    # One flat a booking, and no two on one time: a house and day have about eighteen.
    estate = ("--houses", "1", "--flats", str(COUNT), "--switch", f"capacity={COUNT}")
    with stage(folder, *estate) as here:
        forms = _forms(here)
        rate = COUNT / _seconds_to_send(forms)
        journal = here.site.folder / "journal.sqlite3"
        bare = _bare_inserts(journal)
    yield Figure(
        name="bookings/s, the whole POST", value=rate, note=f"{COUNT} by {AT_ONCE} at once"
    )
    yield Figure(name="the same rows as bare inserts/s", value=bare, note="one commit a booking")
    yield Figure(name="bookings as a share of bare inserts", value=rate / bare)


def _forms(here: Stage) -> list[Form]:
    house = journey.choice(here.page(journey.HOUSES).html, "house")
    flats = journey.choices(here.page(house).html, "flat")
    start = journey.choice(here.page(flats[0]).html, "start").partition("&start=")[2]
    return [_form(here, flat.replace("/time/", "/confirm/") + f"&start={start}") for flat in flats]


def _form(here: Stage, path: str) -> Form:
    browser = here.browser()
    page = browser.get(path)
    filled_in = {"phone": ACCEPTED_PHONE, "consent": "on"}
    return Form(browser, hidden_fields(page.html) | filled_in)


def _seconds_to_send(forms: list[Form]) -> float:
    began_at = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_send, forms))
    return time.perf_counter() - began_at


def _send(form: Form) -> None:
    answered = form.browser.post("/confirm/", form.fields)
    if answered.status != 302 or not answered.location.startswith("/bookings/"):
        raise RuntimeError(f"a booking was answered {answered.status} {answered.location}")


def _bare_inserts(journal: Path) -> float:
    """Bookings per second when what the site wrote is only written, into bare tables beside it."""
    with closing(sqlite3.connect(journal, isolation_level=None)) as database:
        database.executescript(DURABLE)
        rows = {table: _copied(database, table) for table in TABLES}
        bookings, events = (rows[table] for table in TABLES)
        of_each = len(events) // len(bookings)
        began_at = time.perf_counter()
        for place, booking in enumerate(bookings):
            database.execute("BEGIN IMMEDIATE")
            _insert(database, TABLES[0], [booking])
            _insert(database, TABLES[1], events[place * of_each : (place + 1) * of_each])
            database.execute("COMMIT")
        return len(bookings) / (time.perf_counter() - began_at)


def _copied(database: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """All rows of a table, after a table like it, empty, was made beside it."""
    database.execute(f"CREATE TABLE bare_{table} AS SELECT * FROM {table} WHERE false")
    rows = database.execute(f"SELECT * FROM {table}").fetchall()
    if len(rows) < COUNT:
        raise RuntimeError(f"{len(rows)} rows in {table}, fewer than {COUNT}")
    return rows


def _insert(database: sqlite3.Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    database.executemany(f"INSERT INTO bare_{table} VALUES ({marks})", rows)
