"""Arrivals at the steps: who is counted where, and that no count is lost or in anybody's way."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import DatabaseError, InterfaceError, connection, connections

from booking import arrivals
from booking.arrivals import MOST_SOURCES, OTHERS, Tally
from booking.models import Arrival, StepArrivals
from tests.journey import FLAT, HOUSE, answers, first_free, send
from tests.processes import HOST, Site, own_database
from tests.torture.browser import Browser

pytestmark = pytest.mark.django_db

TIMES = f"/time/?category=flat&house={HOUSE}&flat={FLAT}"
SITE = "http://testserver"
DAY = date(2026, 12, 1)


def counted() -> dict[tuple[int, str, str], int]:
    """What has been counted, by step and source."""
    arrivals.tally.write()
    return {(row.step, row.utm_source, row.ref): row.count for row in StepArrivals.objects.all()}


class TestWhoIsCounted:
    def test_each_step_one_comes_to(self, client, standin):
        start = f"{first_free(standin):%Y-%m-%dT%H:%M}"
        client.get("/?utm_source=letter&ref=x")
        client.get(
            f"{TIMES}&utm_source=letter&ref=x", headers={"referer": f"{SITE}/?category=flat"}
        )
        confirm = TIMES.replace("/time/", "/confirm/") + f"&start={start}&utm_source=letter"
        client.get(confirm, headers={"referer": f"{SITE}{TIMES}"})

        assert counted() == {(1, "letter", "x"): 1, (2, "letter", "x"): 1, (3, "letter", ""): 1}

    @pytest.mark.parametrize(
        "referer",
        ["", "https://developer.example/", "https://developer.example/time/", "no address"],
    )
    def test_whoever_comes_from_elsewhere(self, client, standin, referer):
        client.get(TIMES, headers={"referer": referer})

        assert counted() == {(2, "", ""): 1}

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_nobody_who_stays_on_a_step(self, client, standin, scheme):
        client.get(TIMES, headers={"referer": f"{scheme}://testserver{TIMES}&date=2026-12-01"})

        assert counted() == {}

    @pytest.mark.parametrize("wants", ["max-age=0", "no-cache", "No-Cache, max-age=0"])
    def test_nobody_who_reloads(self, client, standin, wants):
        came = {"referer": "https://developer.example/", "cache-control": wants}
        client.get(TIMES, headers=came)

        assert counted() == {}

    def test_nobody_who_is_led_on_or_gets_an_error(self, client, standin):
        client.get(f"/?flat={FLAT}")
        client.get("/time/?house=0")
        client.head(TIMES)
        client.get("/accessibility/")
        client.get("/nowhere/")
        standin.fail("getReadyFlats", "status")
        client.get("/?category=garage")

        assert counted() == {}

    def test_no_form_that_is_sent(self, client, standin):
        send(client, answers(first_free(standin)) | {"phone": "12"})

        assert counted() == {}

    def test_not_who_it_is(self, client, standin):
        client.get(TIMES, headers={"user-agent": "a browser"}, REMOTE_ADDR="203.0.113.7")
        arrivals.tally.write()

        [row] = StepArrivals.objects.values()
        assert set(row) == {"id", "day", "step", "utm_source", "ref", "count"}
        assert client.cookies == {}


class TestWriting:
    def test_what_others_have_counted_is_added_to(self):
        one, other = Tally(), Tally()
        one.note(1, {"utm_source": "letter"})
        one.note(1, {"utm_source": "letter"})
        other.note(1, {"utm_source": "letter"})

        one.write()
        other.write()
        one.write()

        assert counted() == {(1, "letter", ""): 3}

    def test_links_may_say_anything(self):
        for number in range(MOST_SOURCES + 5):
            arrivals.tally.note(1, {"utm_source": str(number)})
        arrivals.tally.note(1, {"utm_source": "0"})

        found = counted()

        assert len(found) == MOST_SOURCES + 1
        assert found[1, *OTHERS] == 5
        assert found[1, "0", ""] == 2

    @pytest.mark.parametrize("error", [DatabaseError, InterfaceError])
    def test_a_database_that_is_away_is_tried_again(self, monkeypatch, caplog, error):
        def away(_counts):
            raise error("gone")

        arrivals.tally.note(1, {})
        with monkeypatch.context() as patch:
            patch.setattr(type(StepArrivals.objects), "add", lambda _manager, counts: away(counts))
            arrivals.tally.write()
        arrivals.tally.note(1, {})

        assert "Arrivals are not written yet" in caplog.text
        assert counted() == {(1, "", ""): 2}

    def test_nothing_counted_is_nothing_written(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            arrivals.tally.write()


@pytest.fixture
def due(monkeypatch) -> Tally:
    """A count that is written after every answer."""
    monkeypatch.setattr(arrivals, "WRITE_EVERY", 0.0)
    monkeypatch.setattr(arrivals, "tally", Tally())
    return arrivals.tally


def writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "arrivals"]


def wait_for_the_writer() -> None:
    for thread in writers():
        thread.join()


@pytest.mark.django_db(transaction=True)
class TestWritingAside:
    def test_when_an_answer_has_gone_out_and_it_is_time(self, client, standin, due):
        client.get("/?ref=x")
        wait_for_the_writer()

        assert StepArrivals.objects.get().ref == "x"

    def test_not_before(self, client, standin):
        client.get("/")
        wait_for_the_writer()

        assert not StepArrivals.objects.exists()

    def test_no_buyer_waits_for_it(self, client, standin, due, monkeypatch):
        may_write = threading.Event()

        def slow(manager, counts):
            may_write.wait(10)
            return real(manager, counts)

        manager = type(StepArrivals.objects)
        real = manager.add
        monkeypatch.setattr(manager, "add", slow)
        for _visit in range(3):
            assert client.get("/").status_code == 200

        assert len(writers()) == 1
        may_write.set()
        wait_for_the_writer()
        assert counted() == {(1, "", ""): 3}


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_lose_no_count():
    def add(_process: int) -> None:
        try:
            StepArrivals.objects.add({Arrival(DAY, step, "letter", ""): 2 for step in (3, 1, 2)})
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(24)))

    assert {row.count for row in StepArrivals.objects.all()} == {48}
    assert StepArrivals.objects.count() == 3
    connection.close()


def test_a_site_that_is_stopped_writes_the_rest(standin, tmp_path):
    with Site(
        folder=tmp_path,
        crm_url=standin.url,
        database_url=own_database(tmp_path),
        variables={"MACROCRM_DOMAIN": standin.domain},
    ) as site:
        buyer = Browser(HOST, site.port, address=HOST)
        statuses = [buyer.get("/?utm_source=letter").status for _visit in range(10)]

    [row] = json.loads(site.manage("dumpdata", "booking.steparrivals"))
    assert statuses == [200] * 10
    assert row["fields"]["utm_source"] == "letter"
    assert row["fields"]["count"] == 10
