"""Processes of one site share what they read from the CRM, through the site's database."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import psycopg
import pytest

from booking import availability
from tests.processes import own_database
from tests.variables import ROOT, environment

HOUSE = "3105011"
URAL = ZoneInfo("Asia/Yekaterinburg")


class Worker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, *command: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(" ".join(map(str, command)) + "\n")
        self._process.stdin.flush()

    def end(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def does(self, *command: object) -> str:
        self.begin(*command)
        return self.end()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def site(standin, tmp_path):
    """The environment of a site of its own."""
    variables = os.environ | environment(
        DATABASE_URL=own_database(tmp_path),
        MACROCRM_URL=standin.url,
        MACROCRM_DOMAIN=standin.domain,
        MACROCRM_APP_SECRET=standin.secret,
        # Short, and with it the time for which a dead worker holds a lease.
        MACROCRM_CONNECT_TIMEOUT="1",
        MACROCRM_READ_TIMEOUT="2",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=variables, check=True)
    return variables


@contextmanager
def worker_of(site: dict[str, str]) -> Iterator[Worker]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.availability_worker"],
        cwd=ROOT,
        env=site,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        worker = Worker(process)
        assert worker.end() == "ready"
        yield worker
        process.stdin.close()  # type: ignore[union-attr]


@pytest.fixture
def one(site):
    with worker_of(site) as worker:
        yield worker


@pytest.fixture
def two(site):
    with worker_of(site) as worker:
        yield worker


@pytest.fixture
def day():
    return availability.horizon(URAL)[1]


def sql(site: dict[str, str], statement: str) -> None:
    """Done to the table of the cache."""
    url = site["DATABASE_URL"]
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///").replace(".sqlite3", ".cache.sqlite3")
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()
    else:
        with psycopg.connect(url) as server:
            server.execute(statement)


def test_those_that_want_the_same_make_one_call(standin, one, two, day):
    standin.switch(latency=0.5)

    for worker in (one, two):
        worker.begin("look", HOUSE, day)
    seen = {worker.end() for worker in (one, two)}

    assert len(seen) == 1
    assert seen != {"0"}
    assert standin.count("getFreeTimes") == 1


def test_what_one_has_read_the_other_need_not_ask(standin, one, two, day):
    one.does("look", HOUSE, day)
    two.does("look", HOUSE, day)
    one.does("houses")
    two.does("houses")

    assert standin.count("getFreeTimes") == 1
    assert standin.count("getReadyFlats") == 1


def test_a_day_that_one_forgets_the_other_asks_again(standin, one, two, day):
    before = int(one.does("look", HOUSE, day))
    lost = next(start for start in standin.free_starts(HOUSE) if start.date() == day)
    standin.hand_to_a_rival(HOUSE, lost)

    two.does("forget", HOUSE, day)
    time.sleep(availability.cache.REUSE_FOR)

    assert int(one.does("look", HOUSE, day)) == before - 1


def test_a_read_that_began_before_the_other_booked_never_comes_back(standin, one, two, day):
    standin.switch(latency=1)
    one.begin("look", HOUSE, day)
    standin.wait_for("getFreeTimes")
    lost = next(start for start in standin.free_starts(HOUSE) if start.date() == day)
    standin.hand_to_a_rival(HOUSE, lost)

    two.does("forget", HOUSE, day)
    seen = one.end()

    assert two.does("look", HOUSE, day) == seen
    assert standin.count("getFreeTimes") == 2


def test_one_that_is_killed_while_it_asks_is_in_the_way_for_one_call_at_most(
    standin, one, two, day
):
    standin.fail("getFreeTimes", "hang", times=1)
    one.begin("look", HOUSE, day)
    standin.wait_for("getFreeTimes", timeout=30)
    one.kill()

    assert two.does("look", HOUSE, day) == "0"
    time.sleep(5)
    assert int(two.does("look", HOUSE, day)) > 0


def test_a_list_whose_large_entry_was_thrown_out_is_read_again(standin, site, one, two):
    found = one.does("houses")
    sql(site, "DELETE FROM booking_cache WHERE length(value) > 500")

    assert two.does("houses") == found
    assert standin.count("getReadyFlats") == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE booking_cache SET value = substr(value, 1, 40)",
        "UPDATE booking_cache SET value = ''",
    ],
    ids=["cut", "emptied"],
)
def test_entries_that_are_spoilt_are_thrown_away(standin, site, one, two, day, statement):
    found = one.does("look", HOUSE, day)
    sql(site, statement)

    assert two.does("look", HOUSE, day) == found
    assert two.does("look", HOUSE, day) == found
    assert standin.count("getFreeTimes") == 2


def test_without_its_table_a_process_remembers_by_itself(standin, site, one, two, day):
    sql(site, "DROP TABLE booking_cache")

    for worker in (one, two):
        assert int(worker.does("look", HOUSE, day)) > 0
        assert int(worker.does("look", HOUSE, day)) > 0
    assert standin.count("getFreeTimes") == 2
