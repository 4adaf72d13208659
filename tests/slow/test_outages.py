"""PostgreSQL hangs, turns read-only or has no room left under a running site."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from standin import StandIn
from tests.outages.visitors import Seen, Visitors
from tests.processes import DOMAIN, ZONE, Site
from tests.torture.postgres import NoDisk, Postgres

SMALL = "small"
SOON = 5  # seconds within which every page must say what is wrong
AWAY = "Запись временно недоступна"
STEPS = ("/", "/time/", "/confirm/")
JOURNALLED = ("/bookings/…/", "/admin/")
READS = (*STEPS, *JOURNALLED)
PRESS = "POST /confirm/"


@pytest.fixture(scope="module")
def crm() -> Iterator[StandIn]:
    with StandIn(domain=DOMAIN, zone=ZONE) as standin:
        yield standin


@pytest.fixture(scope="module")
def site(
    postgres: Postgres, crm: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    try:
        address = postgres.small_database(SMALL, megabytes=64)
    except NoDisk as exc:
        pytest.skip(f"needs a small disk: {exc}")
    folder = tmp_path_factory.mktemp("site")
    with Site(folder=folder, crm_url=crm.url, database_url=address) as running:
        yield running


@pytest.fixture(scope="module")
def everybody(site: Site, crm: StandIn) -> Visitors:
    return Visitors(site, crm)


@pytest.fixture
def visitors(everybody: Visitors) -> Visitors:
    """Ready to press, on a site whose threads have their connections."""
    everybody.come_in_a_crowd()
    everybody.fill_in()
    return everybody


def outcomes(postgres: Postgres) -> list[str]:
    rows = postgres.execute("SELECT outcome FROM booking_booking ORDER BY id", SMALL)
    return [outcome for (outcome,) in rows]


def statuses(seen: dict[str, Seen], *pages: str) -> set[tuple[int, str]]:
    return {(seen[page].status, seen[page].words) for page in pages}


def test_a_server_that_hangs_is_told_in_words_within_five_seconds(visitors, postgres, crm):
    before, calls = outcomes(postgres), crm.count("add")
    with postgres.hung():
        visitors.wait_until_not_ready()
        rounds = [visitors.look() for _round in range(3)]
    back = visitors.wait_until_back()

    for seen in rounds:
        assert statuses(seen, *JOURNALLED, PRESS) == {(503, AWAY)}
        # What a step shows may be remembered for a moment.
        assert {told for status, told in statuses(seen, *STEPS) if status != 200} <= {AWAY}
        assert statuses(seen, "/readyz/") == {(503, "the database does not answer")}
        assert statuses(seen, "/healthz/") == {(200, "alive")}
        assert max(each.seconds for each in seen.values()) < SOON
        assert seen["/healthz/"].seconds < 1
    assert back < SOON
    # The press that everybody waited for, once.
    assert outcomes(postgres) == [*before, "confirmed"]
    assert crm.count("add") == calls + 1


def test_a_crowd_before_a_server_that_hangs_is_told_soon(visitors, postgres):
    with postgres.hung():
        crowd = visitors.come_in_a_crowd()

    assert {seen.status for seen in crowd} == {503}
    assert max(seen.seconds for seen in crowd) < SOON
    visitors.wait_until_back()


@contextmanager
def locked_journal(postgres: Postgres) -> Iterator[None]:
    """As by a console that has begun a transaction and forgotten it."""
    with postgres.connection(SMALL) as console:
        console.execute("LOCK TABLE booking_booking IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_journal_that_is_locked_is_told_within_five_seconds(visitors, postgres):
    with locked_journal(postgres):
        seen = visitors.open_the_receipt()

    assert (seen.status, seen.words) == (503, AWAY)
    assert seen.seconds < SOON
    visitors.wait_until_back()


def test_a_server_that_hangs_in_the_middle_of_a_page_is_told_within_five_seconds(
    visitors, postgres
):
    with locked_journal(postgres), ThreadPoolExecutor(1) as pool:
        page = pool.submit(visitors.open_the_receipt)
        postgres.wait_for_a_lock(SMALL)
        with postgres.hung():
            seen = page.result()

    assert (seen.status, seen.words) == (503, AWAY)
    assert seen.seconds < SOON
    visitors.wait_until_back()


def test_a_read_only_server_is_told_where_something_is_written(visitors, postgres, crm):
    before, calls = outcomes(postgres), crm.count("add")
    with postgres.read_only():
        visitors.wait_until_not_ready()
        seen = visitors.look()
    visitors.wait_until_back()

    assert statuses(seen, PRESS) == {(503, AWAY)}
    assert {seen[page].status for page in READS} == {200}
    assert statuses(seen, "/readyz/") == {(503, "the database takes no write")}
    assert outcomes(postgres) == [*before, "confirmed"]
    assert crm.count("add") == calls + 1


def test_a_full_disk_is_told_where_something_is_written(visitors, postgres, crm):
    with postgres.disk_full():
        visitors.press_until_refused()
        visitors.wait_until_not_ready()
        seen = visitors.look()
        before, calls = outcomes(postgres), crm.count("add")
    visitors.wait_until_back()

    assert statuses(seen, PRESS) == {(503, AWAY)}
    assert {seen[page].status for page in READS} == {200}
    assert statuses(seen, "/readyz/") == {(503, "the database takes no write")}
    assert outcomes(postgres) == [*before, "confirmed"]
    assert crm.count("add") == calls + 1
    # The last one that found room may have found none for its settling: later in doubt.
    assert set(before) <= {"confirmed", "sending"}
    assert calls == len(before)
