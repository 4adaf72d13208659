"""One Chromium for all, a fresh profile for each test, and an eye on what every page does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from standin import StandIn
from tests.browser import chromium, nu
from tests.browser.buyer import Buyer

# The machine may be busy; nothing waits so long when all is well.
PATIENCE = 15_000  # milliseconds

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running in the main thread."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def database_beside_an_event_loop() -> Iterator[None]:
    """From the first browser on, and not before: a site that other tests start must not have it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="session")
def base_url() -> None:
    """In the place of pytest-playwright's own, which makes pytest 9 warn."""


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], database_beside_an_event_loop: None
) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "executable_path": chromium.executable(os.environ),
        "args": list(chromium.ARGUMENTS),
    }


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], request: pytest.FixtureRequest
) -> dict[str, Any]:
    """A Russian phone, far from the houses. The parameter: are there scripts?"""
    return {
        **browser_context_args,
        "locale": "ru-RU",
        "timezone_id": "Europe/Kaliningrad",
        "viewport": {"width": 390, "height": 844},
        "java_script_enabled": getattr(request, "param", True),
    }


@pytest.fixture
def context(context: BrowserContext, live_server: LiveServer) -> Iterator[BrowserContext]:
    """Fails the test if any page asked another host or made the browser complain."""
    amiss: list[str] = []
    pages: set[str] = set()

    def on_request(request: Request) -> None:
        if request.is_navigation_request():
            pages.add(request.url)
        if not request.url.startswith(live_server.url):
            amiss.append(f"asked {request.url}")

    def on_console(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Chromium reports a page that answers 404 or 503.
        if url in pages and message.text.startswith("Failed to load resource"):
            return
        if message.type in {"error", "warning"}:
            amiss.append(f"{message.text} ({url})")

    context.set_default_timeout(PATIENCE)
    context.on("request", on_request)
    context.on("console", on_console)
    context.on("weberror", lambda error: amiss.append(str(error.error)))
    yield context
    assert amiss == []


@pytest.fixture
def buyer(standin: StandIn, live_server: LiveServer, page: Page) -> Buyer:
    return Buyer(page, live_server.url)


@pytest.fixture(scope="session")
def html_checker() -> Iterator[nu.Checker]:
    with nu.running(os.environ) as checker:
        yield checker


@pytest.fixture
def another_tab(context: BrowserContext, buyer: Buyer) -> Callable[[], Buyer]:
    return lambda: Buyer(context.new_page(), buyer.site)


@pytest.fixture
def staff_password(transactional_db: None) -> str:
    """Of the superuser `staff`."""
    get_user_model().objects.create_superuser("staff", password="example-password")
    return "example-password"
