"""Asks a running site for every page, and tells what each said and after how long."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from standin import ACCEPTED_PHONE, StandIn
from tests.journey import HOUSE, answers, hidden_fields
from tests.processes import HOST, PATIENCE, Site
from tests.torture.browser import Browser, Page

FLATS = [f"1.8-{floor}-{number}" for floor in range(2, 13) for number in range(1, 5)]
# Each thread of the workers has a connection of its own to the database, or none yet.
CROWD = 40
POLL = 0.1
# booking.views.health.GOOD_FOR; this runs without Django's settings.
READINESS_GOOD_FOR = 1.0

LOG_IN = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_superuser("olga"))
print(client.session.session_key)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page said; its outcome or heading, or all of a probe's text."""

    status: int
    words: str
    seconds: float


class Visitors:
    """A buyer with a booking, one with the last step filled in, one of staff, and a watcher."""

    def __init__(self, site: Site, crm: StandIn) -> None:
        self._port = site.port
        starts = {
            start for ahead in range(1, 10) for start in crm.free_starts(HOUSE, days_ahead=ahead)
        }
        self._visits = zip(FLATS, sorted(starts), strict=False)
        session = site.manage("shell", "--verbosity", "0", "--command", LOG_IN).strip()
        self._staff = Browser(HOST, self._port, address=HOST, cookie=f"sessionid={session}")
        self.fill_in()
        self._receipt = self.press().location

    def fill_in(self) -> None:
        """A new last step, for a flat and a time that nobody has booked."""
        flat, start = next(self._visits)
        self._pressing = self._somebody()
        self._flat = urlencode({"category": "flat", "house": HOUSE, "flat": flat})
        self._step_3 = "/confirm/?" + urlencode(answers(start, flat=flat))
        page = self._pressing.get(self._step_3)
        self._form = hidden_fields(page.html) | {"phone": ACCEPTED_PHONE, "consent": "on"}

    def press(self) -> Page:
        return self._pressing.post("/confirm/", self._form)

    def press_until_refused(self) -> None:
        """A full disk still has room for rows: that of the pages which are there already."""
        while self.press().status != 503:
            self.fill_in()

    def look(self) -> dict[str, Seen]:
        """At every page, at once."""
        ways: dict[str, Callable[[], Page]] = {
            "/": lambda: self._get("/"),
            "/time/": lambda: self._get(f"/time/?{self._flat}"),
            "/confirm/": lambda: self._get(self._step_3),
            "POST /confirm/": self.press,
            "/bookings/…/": lambda: self._get(self._receipt),
            "/admin/": lambda: self._staff.get("/admin/"),
            "/healthz/": lambda: self._get("/healthz/"),
            "/readyz/": lambda: self._get("/readyz/"),
        }
        with ThreadPoolExecutor(len(ways)) as pool:
            seen = {page: pool.submit(_seen, way) for page, way in ways.items()}
            return {page: each.result() for page, each in seen.items()}

    def open_the_receipt(self) -> Seen:
        """A page that reads the journal."""
        return _seen(lambda: self._get(self._receipt))

    def come_in_a_crowd(self) -> list[Seen]:
        """At once, so that most threads have a connection to the database then."""
        with ThreadPoolExecutor(CROWD) as pool:
            pages = [pool.submit(self.open_the_receipt) for _visitor in range(CROWD)]
            return [page.result() for page in pages]

    def wait_until_back(self) -> float:
        """How many seconds it takes until every page is served again."""
        began_at = time.monotonic()
        while any(seen.status >= 500 for seen in self.look().values()):
            if time.monotonic() > began_at + PATIENCE:
                raise TimeoutError("the site does not come back")
            time.sleep(POLL)
        return time.monotonic() - began_at

    def wait_until_not_ready(self) -> None:
        """No process says so any more: each tells for a second what it has last seen."""
        began_at = last_said = time.monotonic()
        while time.monotonic() < last_said + 2 * READINESS_GOOD_FOR:
            if self._get("/readyz/").status == 200:
                last_said = time.monotonic()
            if last_said > began_at + PATIENCE:
                raise TimeoutError("the site still calls itself ready")
            time.sleep(POLL)

    def _get(self, path: str) -> Page:
        return self._somebody().get(path)

    def _somebody(self) -> Browser:
        """Another client each time: one alone gets few places."""
        address = f"127.0.{random.randrange(256)}.{random.randrange(1, 255)}"
        return Browser(HOST, self._port, address=address)


def _seen(way: Callable[[], Page]) -> Seen:
    began_at = time.monotonic()
    page = way()
    return Seen(page.status, _words(page), time.monotonic() - began_at)


def _words(page: Page) -> str:
    if outcome := re.search(r'data-outcome="(\w+)"', page.html):
        return outcome[1]
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.html, re.DOTALL)
    text = heading[1] if heading else page.html[:80]
    return (
        " ".join(unescape(re.sub("<[^>]*>", "", text)).split()) or page.location.partition("?")[0]
    )
