"""A process holds few connections to PostgreSQL, however many pages wait for the CRM."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from standin import StandIn
from tests.journey import FLAT, HOUSE
from tests.processes import DOMAIN, HOST, ZONE, Site
from tests.torture.browser import Browser
from tests.torture.postgres import Postgres

DATABASE = "pool"
PAGES = 16
# The pools of the journal and of the cache.
MOST = 12


@pytest.fixture
def crm():
    with StandIn(domain=DOMAIN, zone=ZONE) as standin:
        yield standin


@pytest.fixture
def site(postgres: Postgres, crm: StandIn, tmp_path: Path):
    with Site(
        folder=tmp_path,
        crm_url=crm.url,
        database_url=postgres.database(DATABASE),
        workers=1,
        variables={"MACROCRM_READ_TIMEOUT": "10", "PLACES_PER_CLIENT": "20"},
    ) as running:
        yield running


def connections(postgres: Postgres) -> int:
    of_site = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{DATABASE}'"
    [(count,)] = postgres.execute(of_site, "postgres")
    return int(count)


def test_pages_that_wait_for_the_crm_hold_none(site, crm, postgres):
    browser = Browser(HOST, site.port, address=HOST)
    assert browser.get("/").status == 200
    crm.switch(latency=1)
    day = crm.free_starts(HOUSE, days_ahead=3)[0].date()
    query = urlencode({"category": "flat", "house": HOUSE, "flat": FLAT, "date": day})

    with ThreadPoolExecutor(PAGES) as buyers:
        pages = [
            buyers.submit(Browser(HOST, site.port, address=HOST).get, f"/time/?{query}&ref={buyer}")
            for buyer in range(PAGES)
        ]
        time.sleep(0.7)
        waiting = sum(not page.done() for page in pages)
        held = connections(postgres)
        statuses = {page.result().status for page in pages}

    assert waiting == PAGES
    assert held <= MOST
    assert statuses == {200}
    assert connections(postgres) <= MOST
