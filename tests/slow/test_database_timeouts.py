"""A PostgreSQL that does not answer is waited for so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from booking.database.errors import is_away
from booking.database.postgresql.base import DatabaseWrapper
from booking.database.timeouts import seconds, timeout
from booking.middleware import DatabaseTimeoutMiddleware
from tests import bookings
from tests.project.test_config import settings_with
from tests.torture.postgres import Postgres

# What a test that waits in vain waits for, and what it may take on a machine that is busy.
SHORT, LONG = 0.3, 3.0
ALIAS = "timeouts"


@pytest.fixture(scope="module")
def address(postgres: Postgres) -> str:
    return postgres.database("timeouts")


@pytest.fixture
def database(address: str, settings: Settings, db: None) -> Iterator[DatabaseWrapper]:
    """A connection of the site's own kind, whichever database the tests run on."""
    settings.DATABASE_CHECK_TIMEOUT = settings.DATABASE_LOCK_TIMEOUT = SHORT
    found = psycopg.conninfo.conninfo_to_dict(address)
    differences = {
        "ENGINE": "booking.database.postgresql",
        "NAME": found["dbname"],
        "USER": found["user"],
        "HOST": found["host"],
        "PORT": found["port"],
        "OPTIONS": {"connect_timeout": 2, "pool": {"min_size": 1, "max_size": 2, "timeout": 1}},
        "CONN_MAX_AGE": 0,
    }
    wrapper = DatabaseWrapper(connections["default"].settings_dict | differences, ALIAS)
    connections[ALIAS] = wrapper
    yield wrapper
    wrapper.close()
    wrapper.close_pool()
    del connections[ALIAS]


def ask(database: DatabaseWrapper, statement: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def ask_until_it_answers(database: DatabaseWrapper, statement: str) -> Any:
    """The pool connects in the background."""
    give_up = time.monotonic() + 10
    while True:
        try:
            return ask(database, statement)
        except OperationalError:
            assert time.monotonic() < give_up


@contextmanager
def refused_after(least: float, most: float) -> Iterator[None]:
    began_at = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        yield
    assert least <= time.monotonic() - began_at < most
    assert is_away(caught.value)


def test_a_statement_without_an_answer_is_given_up(database, postgres):
    ask(database, "SELECT 1")
    with postgres.hung(), timeout(SHORT), refused_after(SHORT, LONG):
        ask(database, "SELECT 1")


def test_so_is_one_that_takes_long(database):
    ask(database, "SELECT 1")
    with timeout(SHORT), refused_after(SHORT, LONG):
        ask(database, "SELECT pg_sleep(30)")


def test_after_that_the_connection_is_not_used_again(database):
    with timeout(SHORT), pytest.raises(OperationalError):
        ask(database, "SELECT 1 FROM pg_sleep(1)")
    with refused_after(0, SHORT):
        ask(database, "SELECT 2")

    database.close_if_unusable_or_obsolete()
    assert ask(database, "SELECT 3") == 3


def test_a_transaction_that_is_given_up_leaves_nothing(database):
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
    with timeout(SHORT), refused_after(SHORT, LONG), transaction.atomic(using=ALIAS):
        ask(database, "INSERT INTO kept VALUES (1) RETURNING x")
        ask(database, "SELECT 1 FROM pg_sleep(30)")

    database.close_if_unusable_or_obsolete()
    assert ask(database, "SELECT count(*) FROM kept") == 0


def test_a_connection_of_the_pool_is_looked_at_and_replaced(database, postgres):
    ask(database, "SELECT 1")
    database.close()
    with postgres.hung(), refused_after(SHORT, LONG):
        ask(database, "SELECT 2")

    assert ask_until_it_answers(database, "SELECT 3") == 3


def test_all_that_were_cut_are_replaced_before_a_page_gives_up(database, postgres):
    database.pool.open()
    with database.pool.connection(timeout=30), database.pool.connection(timeout=30):
        pass
    assert postgres.cut_all_connections() >= 2

    assert ask(database, "SELECT 1") == 1


def test_a_thread_waits_for_a_connection_no_longer_than_the_pool_allows(database):
    with ExitStack() as stack:
        database.pool.open()
        for _thread in range(2):
            stack.enter_context(database.pool.connection(timeout=30))
        with refused_after(SHORT, LONG):
            ask(database, "SELECT 1")


def test_the_server_itself_ends_what_takes_too_long(database, settings):
    settings.DATABASE_LONG_TIMEOUT = SHORT
    assert ask(database, "SHOW lock_timeout") == "300ms"
    # The client would wait for longer.
    with timeout(LONG), refused_after(SHORT, LONG):
        ask(database, "SELECT 1 FROM pg_sleep(30)")

    assert ask(database, "SELECT 2") == 2


def test_a_lock_is_waited_for_so_long_and_no_longer(database, postgres):
    with postgres.connection("timeouts") as console:
        console.execute("CREATE TABLE locked (x int)")
        console.commit()
        console.execute("LOCK TABLE locked")
        with timeout(LONG), refused_after(SHORT, LONG):
            ask(database, "SELECT count(*) FROM locked")

    assert ask(database, "SELECT count(*) FROM locked") == 0


@pytest.mark.django_db(databases="__all__")
def test_a_migration_may_take_its_time(database, settings, monkeypatch):
    settings.DATABASE_LONG_TIMEOUT = SHORT
    asked: list[Any] = []

    def migrate(self: object, *args: object, **options: object) -> None:
        asked.append(ask(database, "SELECT 1 FROM pg_sleep(0.6)"))
        asked.append(ask(database, "SHOW statement_timeout"))

    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", migrate)
    call_command("migrate")

    assert asked == [1, "0"]
    assert seconds() == SHORT


def test_a_page_has_little_time(settings):
    seen: list[float] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(seconds())
        return HttpResponse()

    DatabaseTimeoutMiddleware(view)(RequestFactory().get("/"))

    assert seen == [settings.DATABASE_TIMEOUT]
    assert seconds() == settings.DATABASE_LONG_TIMEOUT


@pytest.mark.parametrize("path", ["figures/", "export.csv", "export.xlsx"])
def test_staff_may_ask_for_what_takes_longer(db, settings, path):
    """The row that is counted or written down is asked for within the view, or after it."""
    bookings.booking()
    client = bookings.staff("olga", "managers")
    settings.DATABASE_TIMEOUT = 1.0
    seen: set[float] = set()

    def note(execute: Any, sql: str, *arguments: Any) -> Any:
        if 'FROM "booking_booking"' in sql:
            seen.add(seconds())
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        b"".join(client.get(f"/admin/booking/booking/{path}"))

    assert seen == {settings.DATABASE_LONG_TIMEOUT}


def test_a_page_tells_within_five_seconds_that_the_database_hangs(settings):
    found = settings_with("DATABASES", DATABASE_URL="postgres://site@db.example/site")["DATABASES"]
    waits = [database["OPTIONS"]["pool"]["timeout"] for database in found.values()]
    # A page takes a connection for the cache, then one for the journal, and each is looked at.
    assert sum(wait + settings.DATABASE_CHECK_TIMEOUT for wait in waits) < 5
    assert settings.DATABASE_LOCK_TIMEOUT < settings.DATABASE_TIMEOUT < 5
