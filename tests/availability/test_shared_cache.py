"""The cache in the site's database, and what happens while it can't be used."""

import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.core.cache import caches
from django.db import connection, connections, transaction

from booking import availability, shared_cache
from booking.availability import DayState, Flats, ReadyHouse
from standin.fixtures import Flat
from tests import journey

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
HOUSE = ReadyHouse("3105011", "", Flats(), ZoneInfo("Asia/Yekaterinburg"))
TABLE = "booking_cache"


@pytest.fixture(autouse=True)
def soon_used_again(monkeypatch, database_cache):
    monkeypatch.setattr(shared_cache, "LEFT_ALONE_FOR", 0.5)
    yield
    wait_until_it_works()


def works() -> bool:
    """Whether what is written gets into the database."""
    shared_cache.set("works", 1, 60)
    return bool(caches["default"].get("works"))


def wait_until_it_works() -> None:
    give_up = time.monotonic() + 10
    while not works():
        assert time.monotonic() < give_up
        time.sleep(0.1)


@contextmanager
def locked():
    """Nothing can be written to the cache, as while an operator looks at it."""
    settings = connections["cache"].settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(settings["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
    else:
        where = {"host": settings["HOST"], "port": settings["PORT"], "dbname": settings["NAME"]}
        user = {"user": settings["USER"], "password": settings["PASSWORD"]}
        with psycopg.connect(**where, **user) as other:
            other.execute(f"LOCK TABLE {TABLE} IN EXCLUSIVE MODE")
            yield


def a_day():
    return availability.horizon(HOUSE.zone)[1]


def test_what_was_read_is_in_the_database(standin):
    known = availability.day(HOUSE, a_day())
    caches["process"].clear()
    availability.cache.forget_recent()

    assert availability.day(HOUSE, a_day()) == known
    assert standin.count("getFreeTimes") == 1


def test_lists_that_change_leave_few_rows(standin):
    for turn in range(40):
        flats = (Flat("flat", f"{turn}"),)
        standin.build([replace(standin.houses[HOUSE.id], flats=flats)])
        availability.cache.invalidate(availability.cache.key_of("houses", "flat"))
        assert availability.ready_houses("flat").houses[0].flat(f"{turn}")

    with connections["cache"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE cache_key NOT LIKE '%%crm-call%%'")
        assert cursor.fetchone()[0] < 25


def test_what_is_rolled_back_for_the_journal_stays_in_the_cache():
    with transaction.atomic():
        shared_cache.set("key", 1, 60)
        transaction.set_rollback(True)

    assert shared_cache.get_many(["key"]) == {"key": 1}


def test_a_key_is_added_once():
    assert shared_cache.add("once", 1, 60)
    assert not shared_cache.add("once", 2, 60)
    shared_cache.delete("once")
    assert shared_cache.add("once", 3, 60)


def test_the_journal_can_be_written_while_the_cache_is_locked():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    with locked(), transaction.atomic():
        began_at = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM booking_booking")

    assert time.monotonic() - began_at < 0.4


def test_while_it_takes_no_write_pages_wait_for_it_once(standin, monkeypatch):
    monkeypatch.setattr(shared_cache, "LEFT_ALONE_FOR", 5)
    with locked():
        assert availability.day(HOUSE, a_day()).state is DayState.FREE
        began_at = time.monotonic()
        days = availability.days_page(HOUSE).days
        took = time.monotonic() - began_at

    assert DayState.UNKNOWN not in {day.state for day in days}
    assert took < 4
    assert standin.count("getFreeTimes") == 14


def test_a_booking_is_settled_while_it_takes_no_write(client, standin):
    form = journey.fill_in(client, journey.first_free(standin))

    with locked():
        response = journey.send(client, form)

    assert response.status_code == 302
    assert len(standin.ledger) == 1


def test_a_process_remembers_by_itself_until_it_works_again():
    with locked():
        shared_cache.set("key", 1, 60)
        assert shared_cache.get_many(["key"]) == {"key": 1}
        assert caches["default"].get("key") is None

    wait_until_it_works()
