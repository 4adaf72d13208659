"""More people than can be served at once, and a site that is told to stop."""

from __future__ import annotations

import runpy
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Semaphore
from urllib.parse import urlencode

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from booking.middleware import crowd
from booking.middleware.crowd import LINE, PAGES_AT_ONCE, STAFF_AT_ONCE, Doorman
from booking.standin import ACCEPTED_PHONE, StandIn
from tests.journey import answers, first_free, hidden_fields
from tests.processes import DOMAIN, HOST, ZONE, Site, own_database
from tests.torture import records
from tests.torture.browser import Browser, Page
from tests.variables import ROOT

SOON = 30  # seconds after which something that should happen at once has not
SLOW = {"/", "/admin/login/"}


class House:
    """Pages that take until the door is opened."""

    def __init__(self) -> None:
        self._open = Event()
        self._entered = Semaphore(0)
        self.doorman = Doorman(self._serve)
        self._crowd = ThreadPoolExecutor(PAGES_AT_ONCE + LINE + 1)

    def come(self, path: str = "/") -> Future[HttpResponse]:
        return self._crowd.submit(self.doorman, RequestFactory().get(path))

    def fill(self, path: str = "/", count: int = PAGES_AT_ONCE) -> list[Future[HttpResponse]]:
        visitors = [self.come(path) for _visitor in range(count)]
        for _visitor in visitors:
            assert self._entered.acquire(timeout=SOON)
        return visitors

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self.open()
        self._crowd.shutdown()

    def _serve(self, request: HttpRequest) -> HttpResponse:
        if request.path in SLOW:
            self._entered.release()
            assert self._open.wait(SOON)
        return HttpResponse("served")


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


def test_as_many_as_there_is_room_for_are_served(house):
    visitors = house.fill()

    house.open()

    assert {visitor.result().status_code for visitor in visitors} == {200}


def test_who_waits_in_the_line_is_served_when_somebody_leaves(house, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", SOON)
    house.fill()
    waiting = house.come()

    house.open()

    assert waiting.result().status_code == 200


def test_who_waited_for_long_enough_is_told_to_come_again(house, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 0.01)
    house.fill()

    answer = house.come().result(SOON)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == answer.headers["Refresh"] == "5"
    assert "слишком много посетителей" in answer.content.decode()


def test_a_form_is_not_sent_again_by_itself(house, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", 0.01)
    house.fill()

    answer = house.doorman(RequestFactory().post("/confirm/"))

    assert answer.status_code == 503
    assert "Refresh" not in answer.headers


def test_beyond_the_line_nobody_waits(house, monkeypatch):
    monkeypatch.setattr(crowd, "PATIENCE", SOON)
    house.fill()
    waiting = [house.come() for _visitor in range(LINE)]
    line = house.doorman._pages._line
    while line.acquire(blocking=False):  # until all of them stand there
        line.release()

    answer = house.doorman(RequestFactory().get("/"))

    assert answer.status_code == 503
    house.open()
    assert {visitor.result().status_code for visitor in waiting} == {200}


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/admin/booking/", "/figures/"])
def test_staff_and_watchers_have_a_way_of_their_own(house, settings, path):
    settings.METRICS_PATH = "figures/"
    house.fill()

    assert house.doorman(RequestFactory().get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/admin/booking/", "/figures/"])
def test_staff_are_told_to_come_again_when_their_own_places_are_taken(house, settings, path):
    settings.METRICS_PATH = "figures/"
    house.fill("/admin/login/", STAFF_AT_ONCE)

    assert house.doorman(RequestFactory().get(path)).status_code == 503
    for other in ("/accessibility/", "/healthz/", "/readyz/"):
        assert house.doorman(RequestFactory().get(other)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz/more/", "/readyz/more/", "/figures/more/", "/adminer/"])
def test_nothing_else_goes_their_way(house, settings, monkeypatch, path):
    monkeypatch.setattr(crowd, "PATIENCE", 0.01)
    settings.METRICS_PATH = "figures/"
    house.fill()

    assert house.doorman(RequestFactory().get(path)).status_code == 503


def test_a_worker_has_threads_left_when_the_line_is_full(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))  # or the file makes a folder
    threads = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["threads"]

    assert threads >= PAGES_AT_ONCE + LINE + STAFF_AT_ONCE + 2


# With a real gunicorn


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn(domain=DOMAIN, zone=ZONE) as standin:
        yield standin


@contextmanager
def site(crm: StandIn, folder: Path, workers: int) -> Iterator[Site]:
    database = own_database(folder)
    with Site(folder=folder, crm_url=crm.url, database_url=database, workers=workers) as running:
        yield running


def test_a_crowd_gets_words_while_staff_and_watchers_get_in(crm, tmp_path):
    crm.fail("getReadyFlats", "hang")
    with site(crm, tmp_path, workers=1) as running, ThreadPoolExecutor(60) as crowd_outside:
        browser = Browser(HOST, running.port, address=HOST)
        visitors = [crowd_outside.submit(browser.get, "/") for _visitor in range(60)]
        turned_away, _inside = wait(visitors, return_when="FIRST_COMPLETED")
        watcher = browser.get("/healthz/")
        staff = browser.get("/admin/login/")

        pages = [visitor.result() for visitor in visitors]

    assert (watcher.status, staff.status) == (200, 200)
    assert {page.status for page in pages} == {503}
    told = Counter("слишком много посетителей" in page.html for page in pages)
    assert told[True] >= 60 - PAGES_AT_ONCE - LINE
    assert told[False] >= PAGES_AT_ONCE  # these learned that the CRM does not answer
    assert all("слишком много" in visitor.result().html for visitor in turned_away)


def open_slowly(port: int, path: str) -> socket.socket:
    """A form that is announced and does not come."""
    connection = socket.create_connection((HOST, port), timeout=SOON)
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{form}\r\n\r\n".encode())
    return connection


def test_slow_forms_for_the_desk_hold_up_nobody_else(crm, tmp_path):
    with site(crm, tmp_path, workers=1) as running, ExitStack() as kept_open:
        for _form in range(32):  # as many as a worker had threads
            kept_open.enter_context(open_slowly(running.port, "/admin/login/"))
        browser = Browser(HOST, running.port, address=HOST)
        watcher, buyer = browser.get("/healthz/"), browser.get("/")

    assert (watcher.status, buyer.status) == (200, 200)


def filled_in(browser: Browser, crm: StandIn, flat: str) -> dict[str, str]:
    page = browser.get("/confirm/?" + urlencode(answers(first_free(crm), flat=flat)))
    return hidden_fields(page.html) | {"phone": ACCEPTED_PHONE, "consent": "on"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_site_told_to_stop_finishes_the_bookings_it_is_sending(crm, tmp_path, workers):
    with site(crm, tmp_path, workers) as running, ThreadPoolExecutor(1) as hand:
        browser = Browser(HOST, running.port, address=HOST)
        form = filled_in(browser, crm, "1.8-12-1")
        crm.switch(latency={"add": 1.0})
        pressed: Future[Page] = hand.submit(browser.post, "/confirm/", form)
        crm.wait_for("add")

        running.stop()

    assert pressed.result().status == 302
    assert "/bookings/" in pressed.result().location
    assert [row.outcome for row in records.journal(running)] == ["confirmed"]
    assert len(crm.ledger) == 1
