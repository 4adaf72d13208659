"""The journal turns read-only, full or locked: what each page makes of it; and what is a bug."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from booking.database.errors import is_away
from booking.models import Booking
from booking.services import settling
from booking.views import health
from standin import StandIn
from tests import bookings
from tests.bookings import staff
from tests.journey import fill_in, first_free, heading, send

AWAY = "Запись временно недоступна"
Fault = Callable[[], AbstractContextManager[None]]


def caused(error: DatabaseError | InterfaceError, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param("08006", True, id="connection broken"),
        pytest.param("25006", True, id="read-only"),
        pytest.param("28P01", True, id="wrong password"),
        pytest.param("3D000", True, id="no such database"),
        pytest.param("40P01", True, id="deadlock"),
        pytest.param("42501", True, id="no right to the table"),
        pytest.param("53100", True, id="disk full"),
        pytest.param("53300", True, id="too many connections"),
        pytest.param("55P03", True, id="locked"),
        pytest.param("57014", True, id="statement took too long"),
        pytest.param("57P01", True, id="server is being stopped"),
        pytest.param("58030", True, id="disk does not answer"),
        pytest.param("XX001", True, id="data corrupted"),
        pytest.param("22001", False, id="text too long"),
        pytest.param("23505", False, id="not unique"),
        pytest.param("25P02", False, id="statement after a failed one"),
        pytest.param("42601", False, id="syntax"),
        pytest.param("42P01", False, id="no such table"),
        pytest.param("54001", False, id="statement too complex"),
    ],
)
def test_the_state_of_a_postgresql_error_tells_whether_it_is_a_bug(state, expected):
    cause = psycopg.errors.lookup(state)("in whatever language")

    # Whatever Django's class: that of a read-only transaction is InternalError.
    assert is_away(caused(DatabaseError("the same"), cause)) is expected
    assert is_away(caused(OperationalError("the same"), cause)) is expected


@pytest.mark.parametrize("cause", [psycopg.OperationalError("connection refused"), None])
def test_a_connection_that_broke_has_no_state(cause):
    assert is_away(caused(OperationalError("the same"), cause))
    assert is_away(caused(InterfaceError("the same"), cause))
    assert not is_away(caused(DatabaseError("the same"), cause))


@pytest.mark.parametrize("error", [None, RuntimeError("away"), psycopg.OperationalError("away")])
def test_only_errors_of_the_database_tell_that_it_is_away(error):
    assert not is_away(error)


def read_only(there: sqlite3.Connection) -> None:
    there.execute("PRAGMA query_only = ON")
    there.execute("CREATE TABLE more (x)")


def full(there: sqlite3.Connection) -> None:
    there.execute("PRAGMA max_page_count = 1")
    there.execute("CREATE TABLE more AS SELECT zeroblob(100000)")


def no_database(there: sqlite3.Connection) -> None:
    (name,) = (row[2] for row in there.execute("PRAGMA database_list"))
    Path(name).write_bytes(b"no database" * 1000)
    there.execute("SELECT * FROM sqlite_master")


def no_table(there: sqlite3.Connection) -> None:
    there.execute("SELECT * FROM nowhere")


def not_unique(there: sqlite3.Connection) -> None:
    there.execute("CREATE TABLE once (x PRIMARY KEY)")
    there.execute("INSERT INTO once VALUES (1), (1)")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(read_only, True), (full, True), (no_database, True), (no_table, False), (not_unique, False)],
)
def test_the_code_of_an_sqlite_error_tells_whether_it_is_a_bug(tmp_path, fault, expected):
    file = tmp_path / "journal.sqlite3"
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as there,
        pytest.raises(sqlite3.Error) as caught,
    ):
        fault(there)

    assert is_away(caused(DatabaseError("the same"), caught.value)) is expected
    # That of a missing table is OperationalError, as that of a full disk is.
    assert is_away(caused(OperationalError("the same"), caught.value)) is expected


# What the pages make of it


@contextmanager
def read_only_journal() -> Iterator[None]:
    on, off = {
        "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
        "postgresql": (
            "SET default_transaction_read_only = on",
            "SET default_transaction_read_only = off",
        ),
    }[connection.vendor]
    execute(on)
    try:
        yield
    finally:
        execute(off)


@contextmanager
def full_journal() -> Iterator[None]:
    """Without a page more; those that are there are filled first."""
    execute("PRAGMA max_page_count = 1")
    try:
        with suppress(OperationalError):
            while True:
                bookings.booking(outcome="refused")
        yield
    finally:
        execute("PRAGMA max_page_count = 1000000000")


@contextmanager
def locked_journal() -> Iterator[None]:
    """By another process, for longer than anybody waits; here that is not 20 s."""
    execute("PRAGMA busy_timeout = 100")
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
    execute("PRAGMA busy_timeout = 20000")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


ON_SQLITE = pytest.mark.skipif(
    settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3",
    reason="a fault of SQLite's",
)
faults = pytest.mark.parametrize(
    "fault",
    [
        read_only_journal,
        pytest.param(full_journal, marks=ON_SQLITE),
        pytest.param(locked_journal, marks=ON_SQLITE),
    ],
)


@pytest.fixture(autouse=True)
def unremembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "GOOD_FOR", 0.0)


@faults
@pytest.mark.django_db(transaction=True)
def test_a_press_that_cannot_be_written_down_is_told_in_words(
    client: Client, standin: StandIn, fault: Fault
):
    form = fill_in(client, first_free(standin))
    with fault():
        response = send(client, form)

    assert (response.status_code, heading(response)) == (503, AWAY)
    assert response.headers["Retry-After"]
    assert standin.count("add") == 0
    # Nothing is lost: the same form books as soon as the journal takes it.
    assert send(client, form).status_code == 302
    assert Booking.objects.get(outcome="confirmed")


@faults
@pytest.mark.django_db(transaction=True)
def test_a_journal_that_takes_no_write_is_not_ready(client: Client, fault: Fault):
    with fault():
        response = client.get("/readyz/")
        alive = client.get("/healthz/")

    assert (response.status_code, response.content) == (503, b"the database takes no write\n")
    assert alive.status_code == 200
    assert client.get("/readyz/").status_code == 200


@pytest.mark.parametrize(
    "fault", [read_only_journal, pytest.param(locked_journal, marks=ON_SQLITE)]
)
@pytest.mark.django_db(transaction=True)
def test_the_login_of_staff_tells_it_in_words(client: Client, fault: Fault):
    staff("olga", "operators")
    with fault():
        response = Client().post(
            "/admin/login/", {"username": "olga", "password": "example-password"}
        )

    assert (response.status_code, heading(response)) == (503, AWAY)


@pytest.mark.parametrize("error", [OperationalError("no answer"), InterfaceError("closed")])
@pytest.mark.django_db(transaction=True)
def test_a_reply_that_cannot_be_written_down_leads_to_the_bookings_page(
    client: Client, standin: StandIn, monkeypatch: pytest.MonkeyPatch, error: Exception
):
    def settle(*args: object) -> None:
        raise error

    form = fill_in(client, first_free(standin))
    monkeypatch.setattr(settling, "settle", settle)
    response = send(client, form)

    booking = Booking.objects.get()
    assert (response.status_code, booking.outcome) == (302, "sending")
    assert response.url == booking.get_absolute_url()
    assert send(client, form).url == response.url
    assert standin.count("add") == 1


def keeps_a_visit(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """A middleware that writes when the view has answered, as that of sessions does."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        Session.objects.create(
            session_key="x", session_data="x" * 10_000, expire_date=timezone.now()
        )
        return response

    return middleware


@faults
@pytest.mark.django_db(transaction=True)
def test_what_fails_in_a_middleware_is_told_in_words(
    client: Client, settings: Settings, fault: Fault
):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.keeps_a_visit"]
    client.raise_request_exception = False
    with fault():
        response = client.get("/accessibility/")

    assert (response.status_code, heading(response)) == (503, AWAY)


@pytest.mark.django_db(transaction=True)
def test_a_bug_is_still_a_bug(client: Client, monkeypatch: pytest.MonkeyPatch):
    client.raise_request_exception = False
    monkeypatch.setattr(
        "booking.services.booking.find", lambda key: execute("SELECT * FROM nowhere")
    )

    response = client.get(f"/bookings/{uuid4()}/")

    assert (response.status_code, heading(response)) == (500, "У нас что-то сломалось")
