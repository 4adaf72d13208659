"""No field of any page costs much, whatever stands in it: also fields and pages that are new.

The pages are those of the URLconf, the fields those that a page is seen to look up. Each is filled
with the most that fits into a body or an address, in ways that are hard on patterns. Compared is
what it costs more than an ordinary request: processor time, so other work does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from booking.query import ANSWERS, SOURCES
from standin import StandIn
from tests.costs import cost
from tests.every_page import (
    UNNAMED,
    Page,
    Site,
    encoded,
    read_of_a_form,
    read_of_a_query,
    routes,
    unchanged,
)

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.django_db

# Seconds: the most that any field may cost.
MOST = 0.05
# Characters that fit, with some left for the rest of the request.
IN_A_BODY, IN_AN_ADDRESS, IN_A_HEADER = 64_000, 7_500, 8_000
FILLINGS = {
    "spaces and a digit": " ",
    "brackets": "(",
    "digits": "9",
    "groups": "8 (",
    "percents": "%",
    "commas": ",",
    "words": "a 1 ",
    "nested": "[",
    "nothing": "\0",
    "accents": "и\u0306\u0323",
    "keys": "🗝",
}
# The staff's pages are many, and those who open them are known.
HARDEST = {name: FILLINGS[name] for name in ("spaces and a digit", "groups", "words")}
# Django's own forms for people and groups answer a forged number of twenty digits with 500.
OF_DJANGO = "admin:auth_"
HEADERS = (
    *("Host", "Cookie", "Referer", "Origin", "User-Agent", "Accept", "Accept-Language"),
    *("Accept-Encoding", "Cache-Control", "Content-Type", "If-None-Match", "If-Modified-Since"),
    *("Range", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-ID", "X-CSRFToken"),
    *("Sec-Fetch-Site", "Sec-Purpose", "Authorization"),
)
COOKIES = ("sessionid", "csrftoken", "lang", "messages", "phone", "bookings")
# What stands in a header as it is.
RAW_FILLINGS = (" ", "(", "9", ",", "; a=", "1,", "[", "a/b;q=0.1, ", "bytes=0-1,", '"', "%", "=?")
Request = Callable[[], Any]


def most(filling: str, room: int) -> str:
    """As much of it as fits, encoded, and a digit."""
    return filling * (room // len(encoded({"": filling})[1:])) + "1"


def read(response: Any) -> None:
    """To its end, which also closes the file of a download."""
    if response.streaming:
        b"".join(response.streaming_content)


@pytest.fixture
def site(standin: StandIn) -> Site:
    return Site(standin)


@pytest.fixture
def pages(site: Site) -> list[Page]:
    return [site.page(*route) for route in routes() if not route[0].endswith(UNNAMED)]


class Costs:
    """What fields cost more than an ordinary request, in seconds."""

    def __init__(self) -> None:
        self.found: list[tuple[float, str]] = []
        self.broken: list[str] = []

    def add(self, what: str, request: Request, usual: float) -> None:
        extra = cost(request, 1) - usual
        if extra > MOST / 2:
            extra = cost(request) - usual
        self.found.append((extra, what))

    def judge(self) -> None:
        worst = sorted(self.found, reverse=True)[:5]
        logger.info("%d requests", len(self.found))
        for seconds, what in worst:
            logger.info("%.1f ms %s", seconds * 1000, what)
        assert worst[0][0] < MOST, worst
        assert self.broken == []


def fill(costs: Costs, page: Page, client: Client, fillings: dict[str, str]) -> None:
    """Each field of the page with each filling, in the address and in the form."""

    def asked(ask: Callable[..., Any], **changes: str) -> Request:
        def request() -> None:
            with unchanged(client):
                response = ask(client, **changes)
                read(response)
                if response.status_code >= 500 and not page.route.startswith(OF_DJANGO):
                    costs.broken.append(f"{page.route} {changes}"[:100])

        return request

    # The same few lines read the answers on every page; buyers' pages have tried them.
    known = {*ANSWERS, *SOURCES} if page.of_staff else set()
    for kind, ask, names, room in (
        ("GET", page.get, read_of_a_query(page, client) - known, IN_AN_ADDRESS),
        ("POST", page.post, read_of_a_form(page, client) - known, IN_A_BODY),
    ):
        usual = cost(asked(ask)) if names else 0
        for filling, text in fillings.items():
            for name in sorted(names):
                request = asked(ask, **{name: most(text, room)})
                costs.add(f"{kind} {page.route} {name}: {filling}", request, usual)


def test_every_page_is_reached(site: Site, pages: list[Page]) -> None:
    for page in pages:
        with unchanged(site.client(page)):
            response = page.get(site.client(page))
        assert response.resolver_match.view_name == page.route
        assert response.status_code < 500
        read(response)


def test_no_field_of_a_buyers_page_costs_much(site: Site, pages: list[Page]) -> None:
    costs = Costs()
    for page in pages:
        if not page.of_staff:
            fill(costs, page, site.buyer, FILLINGS)
    costs.judge()


def test_no_field_of_a_page_of_staff_costs_much(site: Site, pages: list[Page]) -> None:
    costs = Costs()
    for page in pages:
        if page.of_staff:
            fill(costs, page, site.staff, HARDEST)
    costs.judge()


QUOTED_COOKIE = '"' + "\\" * (IN_A_HEADER - 10) + '"'


def test_no_cookie_costs_much(site: Site, pages: list[Page]) -> None:
    """Each cookie that the site sets, on a page that reads it."""
    costs = Costs()
    by_route = {page.route: page for page in pages}
    for route in ("booking:confirm", "admin:index", "admin:login"):
        page = by_route[route]
        usual = cost(lambda page=page: page.get(Client()))  # type: ignore[misc]
        for name in COOKIES:
            for value in (QUOTED_COOKIE, *(text * (IN_A_HEADER // 4) for text in RAW_FILLINGS)):
                header = {"cookie": f"{name}={value}"}
                request = partial(Client().get, page.path, page.query, headers=header)
                costs.add(f"{route} cookie {name}: {value[:5]}", request, usual)
    costs.judge()


def test_no_header_costs_much(site: Site, pages: list[Page], settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    costs = Costs()
    routes = {"booking:choose_flat", "booking:confirm", "booking:find_booking", "admin:login"}
    for page in pages:
        if page.route not in routes:
            continue
        for ask in (page.get, page.post):
            usual = cost(lambda page=page, ask=ask: ask(Client()))  # type: ignore[misc]
            for name in HEADERS:
                for text in RAW_FILLINGS:
                    client = Client(headers={name: text * (IN_A_HEADER // len(text))})
                    costs.add(f"{page.route} {name}: {text}", partial(ask, client), usual)
    costs.judge()


def test_no_path_costs_much(site: Site, pages: list[Page]) -> None:
    costs = Costs()
    for page in pages:
        usual = cost(partial(page.get, Client()))
        for name in page.kwargs:
            for filling, text in FILLINGS.items():
                path = page.path_with(**{name: most(text, IN_AN_ADDRESS)})
                request = partial(site.client(page).get, path)
                costs.add(f"{page.route} {name}: {filling}", request, usual)
    costs.judge()
