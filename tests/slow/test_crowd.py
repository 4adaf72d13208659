"""More people than can be served at once, and a site that is told to stop."""

from __future__ import annotations

import runpy
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from threading import Event, Semaphore
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from prometheus_client import REGISTRY

from booking import known_browsers
from booking.middleware import load_shedding
from booking.middleware.load_shedding import (
    LINE,
    LOGINS_AT_ONCE,
    PAGES_AT_ONCE,
    STAFF_AT_ONCE,
    LoadSheddingMiddleware,
    Slots,
)
from standin import ACCEPTED_PHONE, StandIn
from tests.journey import answers, first_free, hidden_fields
from tests.processes import DOMAIN, HOST, ZONE, Site, own_database
from tests.torture import records
from tests.torture.browser import Browser, Page
from tests.variables import ROOT

SOON = 30  # seconds after which something that should happen at once has not
SLOW = {"/", "/admin/", "/admin/login/"}
ATTACKER = "198.51.100.7"
HALF = PAGES_AT_ONCE // 2


def cookie_of_staff() -> str:
    """As a login leaves it in the browser."""
    request, response = RequestFactory().get("/admin/"), HttpResponse()
    known_browsers.note(request, User(pk=1))
    known_browsers.remember(request, response)
    return response.cookies[known_browsers.COOKIE].value


class House:
    """Pages that take until the door is opened. Each visitor has an address, if none is given."""

    def __init__(self) -> None:
        self._open = Event()
        self._entered = Semaphore(0)
        self.serve = LoadSheddingMiddleware(self._serve)
        self._crowd = ThreadPoolExecutor(PAGES_AT_ONCE + LINE + 1)
        self._of_staff = cookie_of_staff()
        self._addresses = (f"203.0.113.{number}" for number in range(1, 255))

    def ask(
        self,
        path: str = "/",
        address: str | None = None,
        *,
        method: str = "GET",
        known: bool = True,
    ) -> HttpResponse:
        come_from = next(self._addresses) if address is None else address
        browser = RequestFactory(REMOTE_ADDR=come_from)
        if known:
            browser.cookies[known_browsers.COOKIE] = self._of_staff
        return self.serve(browser.generic(method, path))

    def come(
        self, path: str = "/", address: str | None = None, *, known: bool = True
    ) -> Future[HttpResponse]:
        return self._crowd.submit(self.ask, path, address, known=known)

    def fill(
        self,
        path: str = "/",
        count: int = PAGES_AT_ONCE,
        address: str | None = None,
        *,
        known: bool = True,
    ) -> list[Future[HttpResponse]]:
        visitors = [self.come(path, address, known=known) for _visitor in range(count)]
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


def first_answers(visitors: list[Future[HttpResponse]], count: int) -> list[int]:
    """The statuses of those who are answered first."""
    answered = islice(as_completed(visitors, SOON), count)
    return [visitor.result().status_code for visitor in answered]


def statuses(visitors: list[Future[HttpResponse]]) -> list[int]:
    return [visitor.result(SOON).status_code for visitor in visitors]


def turned_away() -> Counter[str]:
    name = "handover_turned_away_total"
    found = {
        reason: REGISTRY.get_sample_value(name, {"reason": reason}) for reason in ("client", "full")
    }
    return Counter({reason: int(value or 0) for reason, value in found.items()})


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
    monkeypatch.setattr(load_shedding, "PATIENCE", SOON)
    house.fill()
    waiting = house.come()

    house.open()

    assert waiting.result().status_code == 200


def test_who_waited_for_long_enough_is_told_to_come_again(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    house.fill()

    answer = house.come().result(SOON)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == answer.headers["Refresh"] == "5"
    assert "слишком много посетителей" in answer.content.decode()


def test_a_form_is_not_sent_again_by_itself(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    house.fill()

    answer = house.ask("/confirm/", method="POST")

    assert answer.status_code == 503
    assert "Refresh" not in answer.headers


def test_beyond_the_line_nobody_waits(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", SOON)
    house.fill()

    visitors = [house.come() for _visitor in range(LINE + 3)]

    assert first_answers(visitors, 3) == [503] * 3
    house.open()
    assert sorted(statuses(visitors)) == [200] * LINE + [503] * 3


# One client among others


def test_one_client_leaves_half_of_the_places_to_others(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    house.fill(count=HALF, address=ATTACKER)

    assert house.come(address=ATTACKER).result(SOON).status_code == 503
    house.fill(count=HALF)


def test_one_client_leaves_half_of_the_line_to_others(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", SOON)
    house.fill(count=HALF, address=ATTACKER)
    house.fill(count=HALF)

    attackers = [house.come(address=ATTACKER) for _try in range(LINE)]
    assert first_answers(attackers, LINE // 2) == [503] * (LINE // 2)
    others = [house.come() for _visitor in range(LINE // 2)]
    house.open()

    assert statuses(others) == [200] * (LINE // 2)
    assert sorted(statuses(attackers)) == [200] * (LINE // 2) + [503] * (LINE // 2)


def test_a_client_has_its_share_of_a_full_site(house, monkeypatch, settings):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    share = settings.PLACES_PER_CLIENT
    house.fill(count=PAGES_AT_ONCE - share - 1)

    house.fill(count=share, address=ATTACKER)

    assert house.ask(address=ATTACKER).status_code == 503
    house.fill(count=1)


def test_who_waits_within_the_share_gets_the_last_place_before_who_is_over_it(monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", SOON)
    slots = Slots(2, line=4, share=1, reserve=1)
    assert slots.acquire(ATTACKER)
    assert slots.acquire("other")
    with ThreadPoolExecutor(2) as pool:
        attacker = pool.submit(slots.acquire, ATTACKER)
        buyer = pool.submit(slots.acquire, "buyer")

        slots.release("other")

        assert buyer.result(SOON)
        assert not attacker.done()
        slots.release("buyer")
        slots.release(ATTACKER)
        assert attacker.result(SOON)


def test_a_share_of_all_places_is_no_limit(settings):
    settings.PLACES_PER_CLIENT = PAGES_AT_ONCE
    house = House()

    house.fill(address=ATTACKER)

    house.close()


def test_who_has_no_address_is_no_client(house):
    house.fill(address="")  # a unix socket


def test_a_network_of_ipv6_is_one_client(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    house.fill(count=HALF - 1, address="2001:db8::1")
    house.fill(count=1, address="2001:db8::2")

    assert house.ask(address="2001:db8::3").status_code == 503
    house.fill(count=1, address="2001:db8:0:1::1")


def test_what_is_kept_of_clients_goes_with_them():
    slots = Slots(2, line=0, share=1, reserve=1)
    for number in range(100):
        assert slots.acquire(f"client {number}")
        assert slots.has_its_share(f"client {number}")
        slots.release(f"client {number}")

    assert not slots.held


def test_the_figures_tell_a_greedy_client_from_a_full_site(house, monkeypatch):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    house.fill(count=HALF, address=ATTACKER)
    before = turned_away()

    house.ask(address=ATTACKER)
    house.fill(count=HALF)
    house.ask()

    assert turned_away() - before == Counter(client=1, full=1)


# Staff


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/admin/booking/", "/figures/"])
def test_staff_and_watchers_have_a_way_of_their_own(house, settings, path):
    settings.METRICS_PATH = "figures/"
    house.fill()

    assert house.ask(path).status_code == 200


@pytest.mark.parametrize("path", ["/admin/booking/", "/figures/"])
def test_staff_are_told_to_come_again_when_their_own_places_are_taken(house, settings, path):
    settings.METRICS_PATH = "figures/"
    house.fill("/admin/", STAFF_AT_ONCE)

    assert house.ask(path).status_code == 503
    for other in ("/accessibility/", "/healthz/", "/readyz/"):
        assert house.ask(other).status_code == 200
    assert house.ask("/admin/booking/", known=False).status_code == 200


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/"])
def test_strangers_do_not_shut_out_staff(house, path):
    house.fill(path, LOGINS_AT_ONCE, known=False)

    assert house.ask("/admin/login/", known=False).status_code == 503
    assert house.ask("/admin/booking/", known=False).status_code == 503
    assert house.ask("/admin/booking/").status_code == 200
    house.fill("/admin/login/", STAFF_AT_ONCE)


def test_an_invented_session_makes_nobody_staff(house):
    house.fill("/admin/login/", LOGINS_AT_ONCE, known=False)
    stranger = RequestFactory(REMOTE_ADDR=ATTACKER)
    stranger.cookies["sessionid"] = "invented"
    stranger.cookies[known_browsers.COOKIE] = "eyIxIjpbImEiLCJiIl19:1abcde:invented"

    assert house.serve(stranger.get("/admin/")).status_code == 503


def test_one_stranger_leaves_room_at_the_login(house):
    house.fill("/admin/login/", LOGINS_AT_ONCE - 1, ATTACKER, known=False)

    assert house.ask("/admin/login/", ATTACKER, known=False).status_code == 503
    house.fill("/admin/login/", 1, known=False)


def test_one_client_leaves_room_for_staff_elsewhere(house):
    house.fill("/admin/", STAFF_AT_ONCE - 2, ATTACKER)

    assert house.ask("/admin/booking/", ATTACKER).status_code == 503
    house.fill("/admin/", 2)


@pytest.mark.parametrize("path", ["/healthz/more/", "/readyz/more/", "/figures/more/", "/adminer/"])
def test_nothing_else_goes_their_way(house, settings, monkeypatch, path):
    monkeypatch.setattr(load_shedding, "PATIENCE", 0.01)
    settings.METRICS_PATH = "figures/"
    house.fill()

    assert house.ask(path).status_code == 503


def test_a_worker_has_threads_left_when_the_line_is_full(monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))  # or the file makes a folder
    threads = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["threads"]

    assert threads >= PAGES_AT_ONCE + LINE + STAFF_AT_ONCE + LOGINS_AT_ONCE + 2


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
        visitors = [
            crowd_outside.submit(Browser(HOST, running.port, address=f"127.1.1.{number}").get, "/")
            for number in range(1, 61)
        ]
        browser = Browser(HOST, running.port, address=HOST)
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


def open_slowly(port: int, path: str, address: str = HOST) -> socket.socket:
    """A form that is announced and does not come."""
    connection = socket.create_connection((HOST, port), SOON, source_address=(address, 0))
    # With a token in a cookie, without which Django does not wait for the form.
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: csrftoken={'x' * 32}\r\n{form}"
    connection.sendall(f"{head}\r\n\r\n".encode())
    return connection


def test_slow_forms_for_the_desk_hold_up_nobody_else(crm, tmp_path):
    with site(crm, tmp_path, workers=1) as running, ExitStack() as kept_open:
        for number in range(1, 33):
            address = f"127.1.1.{number}"
            kept_open.enter_context(open_slowly(running.port, "/admin/login/", address))
        known = f"{known_browsers.COOKIE}={cookie_of_staff()}"
        staff = Browser(HOST, running.port, address=HOST, cookie=known)
        pages = [staff.get(path) for path in ("/healthz/", "/", "/admin/login/")]
        stranger = Browser(HOST, running.port, address="127.1.2.1").get("/admin/login/")

    assert [page.status for page in pages] == [200, 200, 200]
    assert stranger.status == 503


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /confirm/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        b"GET /healthz/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
    ids=["says nothing", "does not send its form", "does not hang up"],
)
def test_a_client_that_does_not_go_on_holds_up_nobody(crm, tmp_path, sent):
    with site(crm, tmp_path, workers=1) as running, ExitStack() as kept_open:
        browser = Browser(HOST, running.port, address=HOST)
        browser.get("/")
        for _connection in range(80):  # twice as many as there are threads
            connection = socket.create_connection((HOST, running.port), SOON, ("127.1.1.1", 0))
            kept_open.enter_context(connection).sendall(sent)
        page = browser.get("/")

    assert page.status == 200
    assert page.seconds < 4  # gunicorn by itself waits for 5 s or longer


def test_slow_forms_of_one_client_hold_up_no_other(crm, tmp_path):
    with site(crm, tmp_path, workers=1) as running, ExitStack() as kept_open:
        for _form in range(PAGES_AT_ONCE + LINE):
            kept_open.enter_context(open_slowly(running.port, "/confirm/", "127.1.1.1"))
        pages = [Browser(HOST, running.port, address=HOST).get("/") for _page in range(20)]

    assert [page.status for page in pages] == [200] * 20


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
