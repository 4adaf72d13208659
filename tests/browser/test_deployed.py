"""The site as it is deployed: gunicorn, collected static files, and what a visit to it weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import brotli  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Browser

from standin import StandIn
from tests.browser.states import LOGO
from tests.journey import FLAT, HOUSE
from tests.processes import DOMAIN, HOST, ZONE, Site

LIMIT_KILOBYTES = 10
# With the script and a brand, or not compressed.
LIMIT_KILOBYTES_OF_OTHERS = 15
LIMIT_REQUESTS = 4
A_YEAR = 365 * 24 * 3600
OF_FLAT = urlencode({"category": "flat", "house": HOUSE, "flat": FLAT})


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with deployed(tmp_path_factory.mktemp("deployed")) as site:
        yield site


@pytest.fixture(scope="session")
def branded_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    brand = {"ACCENT_COLOR": "#7a1f5c", "LOGO_FILE": str(LOGO)}
    with deployed(tmp_path_factory.mktemp("branded"), **brand) as site:
        yield site


@contextmanager
def deployed(folder: Path, **variables: str) -> Iterator[Site]:
    with StandIn(domain=DOMAIN, zone=ZONE) as crm:
        site = Site(
            folder=folder,
            crm_url=crm.url,
            database_url=f"sqlite:///{folder / 'db.sqlite3'}",
            variables={
                "DJANGO_SETTINGS_MODULE": "tests.collected_settings",
                "TESTS_STATIC_ROOT": str(folder / "static"),
                # A browser that runs already has set it for the tests themselves.
                "DJANGO_ALLOW_ASYNC_UNSAFE": "",
                **variables,
            },
        )
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
        with site:
            yield site


# Static files


@pytest.fixture(params=["css/site", "js/site", "img/key"])
def static_file(request: pytest.FixtureRequest, site: Site) -> str:
    """The address of a file, as the page of flats has it."""
    page = ask(site, f"/?category=flat&house={HOUSE}").read().decode()
    (path,) = set(re.findall(rf'"(/static/{request.param}\.[^"]+)"', page))
    return str(path)


def test_static_files_are_named_by_their_hash_and_kept_for_ever(site, static_file):
    answer = ask(site, static_file)

    assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", static_file)
    kept = answer.headers["Cache-Control"].split(", ")
    assert "immutable" in kept
    (seconds,) = [int(each.partition("=")[2]) for each in kept if each.startswith("max-age=")]
    assert seconds >= A_YEAR


@pytest.mark.parametrize(
    ("encoding", "unpack"), [("br", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_texts_travel_compressed(site, encoding, unpack):
    page = ask(site, "/").read().decode()
    (css,) = re.findall(r'"(/static/css/site\.[^"]+)"', page)
    plain = ask(site, css).read()

    answer = ask(site, css, accepts=encoding)
    body = answer.read()

    assert answer.headers["Content-Encoding"] == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert unpack(body) == plain
    assert len(body) < len(plain) / 3


def test_a_file_without_its_hash_is_there_for_the_pages_of_errors(site):
    """They are written out, so that they need no manifest."""
    for path in ("/static/css/site.css", "/static/img/key.svg"):
        assert ask(site, path).status == 200


def ask(site: Site, path: str, *, accepts: str = "identity") -> HTTPResponse:
    connection = HTTPConnection(HOST, site.port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": accepts, "Connection": "close"})
    return connection.getresponse()


# Weight


@dataclass
class Visit:
    """What has come over the wire."""

    urls: list[str] = field(default_factory=list)
    bytes: int = 0


@pytest.mark.browser
@pytest.mark.parametrize(
    ("path", "kilobytes"),
    [
        ("/", LIMIT_KILOBYTES),
        (f"/?category=flat&house={HOUSE}", LIMIT_KILOBYTES_OF_OTHERS),
        (f"/time/?{OF_FLAT}", LIMIT_KILOBYTES_OF_OTHERS),
        ("/accessibility/", LIMIT_KILOBYTES_OF_OTHERS),
    ],
    ids=["houses", "flats", "times", "accessibility"],
)
def test_a_first_visit_is_light_and_asks_nobody_else(browser, site, path, kilobytes):
    assert_light(browser, site, path, kilobytes)


@pytest.mark.browser
def test_a_brand_makes_it_no_heavier(browser, branded_site):
    assert_light(browser, branded_site, f"/time/?{OF_FLAT}", LIMIT_KILOBYTES_OF_OTHERS)


def assert_light(browser: Browser, site: Site, path: str, kilobytes: int) -> None:
    address = f"http://{HOST}:{site.port}"
    # Other buyers have been here: else a script asks for days that were not checked yet.
    ask(site, path)
    ask(site, path.replace("/time/", "/time/days/"))
    visit = visited(browser, address + path)

    assert [url for url in visit.urls if not url.startswith(address)] == []
    assert len(visit.urls) <= LIMIT_REQUESTS, visit.urls
    assert 0 < visit.bytes <= kilobytes * 1000


def visited(browser: Browser, url: str) -> Visit:
    """With nothing in the browser's cache, and its headers counted too."""
    visit = Visit()
    context = browser.new_context(locale="ru-RU")
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", lambda event: visit.urls.append(event["request"]["url"]))
    # The icon asks for the logo's file once more, and the browser has it.
    wire.on("Network.responseReceived", lambda event: forget_if_kept(visit, event["response"]))
    wire.on("Network.loadingFinished", lambda event: add_weight(visit, event))
    page.goto(url, wait_until="networkidle")
    context.close()
    return visit


def forget_if_kept(visit: Visit, response: dict[str, Any]) -> None:
    if response["fromDiskCache"]:
        visit.urls.remove(response["url"])


def add_weight(visit: Visit, event: dict[str, float]) -> None:
    visit.bytes += int(event["encodedDataLength"])
