"""PostgreSQL goes away, or hangs, while the CRM is at work on a booking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from standin import ACCEPTED_PHONE, StandIn
from tests.journey import HOUSE, answers, hidden_fields
from tests.processes import DOMAIN, HOST, ZONE, Site
from tests.torture.__main__ import report
from tests.torture.browser import Browser, Page
from tests.torture.postgres import Postgres
from tests.torture.run import Torture, run

DATABASE = "journal"
# How long the CRM takes for an answer, in seconds: the database must have gone by then, and the
# site's patience must not.
MEANWHILE = 1.0


@pytest.fixture(scope="module")
def crm() -> Iterator[StandIn]:
    with StandIn(domain=DOMAIN, zone=ZONE) as standin:
        yield standin


@pytest.fixture(scope="module")
def site(
    postgres: Postgres, crm: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    with Site(folder=folder, crm_url=crm.url, database_url=postgres.database(DATABASE)) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """One who has filled in the last step and has only the button left."""

    browser: Browser
    form: dict[str, str]

    def press(self) -> Page:
        return self.browser.post("/confirm/", self.form)

    @contextmanager
    def pressing(self) -> Iterator[Future[Page]]:
        """What happens within it happens before there is an answer."""
        with ThreadPoolExecutor(1) as hand:
            yield hand.submit(self.press)


@pytest.fixture(scope="module")
def days_ahead() -> Iterator[int]:
    """Another day for each test: the site remembers for a while what it saw of one."""
    return iter(range(1, 14, 2))


def opened(browser: Browser, path: str) -> Page:
    """The page as soon as the site has its database again, after the test before."""
    give_up = time.monotonic() + 10
    while (page := browser.get(path)).status == 503:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return page


@pytest.fixture
def buyer(site: Site, crm: StandIn, postgres: Postgres, days_ahead: Iterator[int]) -> Buyer:
    postgres.execute("TRUNCATE booking_booking CASCADE", DATABASE)
    crm.reset()
    start = crm.free_starts(HOUSE, days_ahead=next(days_ahead))[0]
    browser = Browser(HOST, site.port, address=HOST)
    page = opened(browser, "/confirm/?" + urlencode(answers(start)))
    form = hidden_fields(page.html) | {"phone": ACCEPTED_PHONE, "consent": "on"}
    return Buyer(browser=browser, form=form)


def outcomes(postgres: Postgres) -> list[str]:
    rows = postgres.execute("SELECT outcome FROM booking_booking", DATABASE)
    return [outcome for (outcome,) in rows]


def shown(page: Page) -> str:
    """The state of the visit that a booking's page tells of."""
    assert page.status == 200
    return page.html.partition('data-state="')[2].partition('"')[0]


def test_a_connection_cut_during_the_call_costs_nothing(buyer, crm, postgres):
    crm.switch(latency={"add": MEANWHILE})
    with buyer.pressing() as answer:
        crm.wait_for("add")
        assert postgres.cut_all_connections() > 0
    page = buyer.browser.get(answer.result().location)

    assert shown(page) == "expected"
    assert outcomes(postgres) == ["confirmed"]
    assert crm.count("add") == len(crm.ledger) == 1


def test_a_connection_cut_after_the_settling_hides_nothing(buyer, crm, postgres):
    crm.fail("add", "drop_after_write")
    crm.switch(latency={"getFreeTimes": MEANWHILE})
    reads = crm.count("getFreeTimes")
    with buyer.pressing() as answer:
        crm.wait_for("getFreeTimes", count=reads + 1)  # the evidence for a booking in doubt
        postgres.cut_all_connections()
    page = buyer.browser.get(answer.result().location)

    assert shown(page) == "in_doubt"
    assert outcomes(postgres) == ["in_doubt"]


@pytest.fixture(params=["stopped", "hung"])
def after_an_outage(
    request: pytest.FixtureRequest, buyer: Buyer, crm: StandIn, postgres: Postgres
) -> tuple[Page, Page]:
    """The server stopped while the CRM was at work. The answer to it, and to a press meanwhile."""
    crm.fail("add", "hang_after_write")
    with buyer.pressing() as answer:
        crm.wait_for("add")
        with getattr(postgres, request.param)():
            crm.recover()
            return answer.result(), buyer.press()


def test_an_outage_during_the_call_leaves_a_booking_that_can_be_found(
    after_an_outage, buyer, crm, postgres
):
    answer, meanwhile = after_an_outage

    assert outcomes(postgres) == ["sending"]
    assert shown(buyer.browser.get(answer.location)) == "sending"
    # What a press finds while the journal can't be read: a page that knows of no booking, but says
    # that asking again makes no second one. It does not.
    assert meanwhile.status == 503
    assert "запись от этого не повторится" in meanwhile.html
    assert buyer.press().location == answer.location
    assert crm.count("add") == len(crm.ledger) == 1


def test_an_outage_during_the_call_is_in_doubt_after_the_deadline(
    after_an_outage, buyer, crm, postgres
):
    answer, _ = after_an_outage
    postgres.execute(
        "UPDATE booking_booking SET deadline_at = deadline_at - interval '1 hour'", DATABASE
    )

    assert shown(buyer.browser.get(answer.location)) == "in_doubt"
    assert outcomes(postgres) == ["in_doubt"]
    assert buyer.press().location == answer.location
    assert crm.count("add") == 1


def test_without_a_database_nothing_is_booked(buyer, crm, postgres):
    with postgres.stopped():
        answer = buyer.press()

    assert answer.status == 503
    assert outcomes(postgres) == []
    assert crm.count("add") == 0
    # Nor has the form lost its worth.
    assert shown(buyer.browser.get(buyer.press().location)) == "expected"


def test_nothing_is_lost_doubled_or_false_when_connections_break_all_the_time(
    postgres: Postgres, tmp_path: Path
):
    torture = Torture(bookings=30, kills=5, seed=30, database_url=postgres.database("torture"))

    result = run(torture, tmp_path, break_database=postgres.cut_all_connections)

    assert result.verdict.is_clean, report(result)
    assert "confirmed" in {row.outcome for row in result.rows}
