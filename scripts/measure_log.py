"""How quick the staff's log is over a million bookings: `python scripts/measure_log.py [--rows N]`.

On an SQLite file that goes with the run, or with --postgres on a PostgreSQL of the run's own
(Debian's binaries). Every page is asked for through Django's test client, by a manager; three
times, and the middle time is told.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from django.test import Client

BATCH = 5000
HOUSES = 40
YEARS = 3
LOG = "/admin/booking/booking/"
EXPORTED = 100_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        _set_up(stack, postgres=arguments.postgres)
        _fill(arguments.rows)
        client = _manager()
        for name, query in _queries().items():
            print(f"{name:40} {_middle(client, LOG, query):8.0f} ms", flush=True)
        for name in ("needs-a-look/", "day-sheet/", "figures/"):
            print(f"{name:40} {_middle(client, LOG + name, {}):8.0f} ms", flush=True)
        for file_format in ("csv", "xlsx"):
            _export(client, file_format, arguments.rows)
    return 0


def _set_up(stack: ExitStack, *, postgres: bool) -> None:
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="measure-"))
    if postgres:
        from tests.torture.postgres import Postgres, binaries

        found = binaries()
        if found is None:
            sys.exit("PostgreSQL is missing: install Debian's package postgresql.")
        address = stack.enter_context(Postgres(found)).database("measured")
    else:
        address = f"sqlite:///{folder}/db.sqlite3"
    os.environ["TESTS_DATABASE_URL"] = address
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    _start_django()
    stack.callback(_hang_up)


def _start_django() -> None:
    import logging

    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)


def _hang_up() -> None:
    from django.db import connection

    connection.close()


def _fill(count: int) -> None:
    from django.db import connection

    from booking.models import Booking

    started = time.monotonic()
    rows = _invented(count)
    # Built once over all rows, not row by row.
    with connection.schema_editor() as editor:
        for index in Booking._meta.indexes:
            editor.remove_index(Booking, index)
    while batch := list(itertools.islice(rows, BATCH)):
        Booking.objects.bulk_create(batch)
    with connection.schema_editor() as editor:
        for index in Booking._meta.indexes:
            editor.add_index(Booking, index)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    seconds = time.monotonic() - started
    print(f"{connection.vendor}: {count} bookings written in {seconds:.0f} s", flush=True)


def _invented(count: int) -> Iterator[Any]:
    from booking.flat_numbers import folded
    from booking.models import Booking

    chance = random.Random(7)  # noqa: S311 - the same rows each time
    outcomes = ["confirmed"] * 780 + ["refused"] * 200 + ["not_sent"] * 19 + ["in_doubt"]
    categories = ["flat"] * 80 + ["garage"] * 12 + ["storageroom"] * 7 + ["comm"]
    span = YEARS * 365 * 24 * 3600
    now = datetime.now(UTC)
    for number in range(count):
        made = now - timedelta(seconds=span * (count - number) / count)
        house = chance.randrange(HOUSES)
        flat = f"{house % 4 + 1}.{number % 9}-{number}"
        campaign = chance.choice(["letter", "sms", "site"])
        yield Booking(
            key=uuid.UUID(int=chance.getrandbits(128), version=4),
            outcome=chance.choice(outcomes),
            category=chance.choice(categories),
            house_id=str(3_105_000 + house),
            house_title=f"Лесной квартал, дом {house}",
            flat=flat,
            flat_folded=folded(flat),
            starts_at=made + timedelta(hours=chance.randrange(3, 300)),
            time_zone="Asia/Yekaterinburg",
            phone=f"+7900{chance.randrange(10**7):07}",
            source={"utm_source": campaign},
            campaign=campaign,
            created_at=made,
            deadline_at=made + timedelta(minutes=1),
            crm_seconds=chance.random() * 3,
        )


def _manager() -> Client:
    from django.contrib.auth.models import Group, User
    from django.test import Client

    user = User.objects.create_user("manager", is_staff=True)
    user.groups.add(Group.objects.get(name="managers"))
    client = Client(headers={"host": "localhost"})
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def _queries() -> dict[str, dict[str, str]]:
    from booking.models import Booking, VisitState

    now = datetime.now(UTC)
    some = Booking.objects.order_by("key")[0]
    return {
        "list": {},
        "page 200": {"p": "199"},
        **{f"state: {state.value}": {"state": state.value} for state in VisitState},
        "category: commercial premises": {"category__exact": "comm"},
        "house": {"house": some.house_id},
        "source": {"source": some.campaign},
        "house and state": {"house": some.house_id, "state": "in_doubt"},
        "category and state": {"category__exact": "comm", "state": "not_sent"},
        "visit: tomorrow": {"visit_day": "tomorrow"},
        "visit: past": {"visit_day": "past"},
        "visit: past, and in doubt": {"visit_day": "past", "state": "in_doubt"},
        "made in a year": {
            "created_at__gte": f"{now.year - 1}-01-01",
            "created_at__lt": f"{now.year}-01-01",
        },
        "made in a week": {"created_at__gte": (now - timedelta(days=7)).isoformat()},
        "sorted by visit": {"o": "2"},
        "search: phone": {"q": f"8{some.phone.as_e164[2:]}"},
        "search: flat": {"q": f"кв. {some.flat}"},
        "search: number": {"q": some.reference},
        "search: house": {"q": some.house_title},
        "search: nothing like it": {"q": "нет такого"},
    }


def _middle(client: Client, path: str, query: dict[str, str]) -> float:
    """Milliseconds."""
    return statistics.median(_once(client, path, query) for _ in range(3))


def _once(client: Client, path: str, query: dict[str, str]) -> float:
    started = time.monotonic()
    reply = client.get(path, query)
    if reply.status_code != HTTPStatus.OK:
        sys.exit(f"{path} {query}: {reply.status_code}")
    return (time.monotonic() - started) * 1000


def _export(client: Client, file_format: str, rows: int) -> None:
    """Of the newest bookings: as many days of them as make EXPORTED."""
    since = datetime.now(UTC) - timedelta(days=YEARS * 365 * min(EXPORTED / rows, 1))
    before, started, size = _peak(), time.monotonic(), 0
    reply = client.get(f"{LOG}export.{file_format}", {"created_at__gte": since.isoformat()})
    first = time.monotonic() - started
    for part in reply:
        size += len(part)
    reply.close()
    seconds = time.monotonic() - started
    print(
        f"export {file_format}: {size / 1e6:.1f} MB in {seconds:.1f} s,"
        f" first byte after {first:.1f} s, peak memory {_peak():.0f} MB (before: {before:.0f} MB)",
        flush=True,
    )


def _peak() -> float:
    """The most memory that this process has had so far, in MB."""
    status = Path("/proc/self/status").read_text("utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
