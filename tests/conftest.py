"""What more than one test module needs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.cache import cache, caches
from django.db import connections
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from booking import availability
from booking.database.postgresql.base import DatabaseWrapper as PostgreSQL
from booking.services.booking import BookingRequest
from booking.views import health
from standin import StandIn
from tests import journey
from tests.presses import press_at
from tests.torture.postgres import Postgres, binaries


@pytest.fixture(autouse=True)
def no_midnight_within() -> None:
    """What is tomorrow for the test is tomorrow for the page: each hour is midnight somewhere."""
    left_of_hour = 3600 - time.time() % 3600
    if left_of_hour < 5:
        time.sleep(left_of_hour)


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Russian, whatever a page of the test before has spoken."""
    with translation.override("ru"):
        yield


@pytest.fixture(autouse=True)
def own_reads(settings: Settings) -> Iterator[None]:
    """No read goes on into the next test, and none is reused there within its second."""
    availability.cache.forget_recent()
    yield
    availability.cache.wait_for_reads()


@pytest.fixture(autouse=True)
def whole_fortnights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a day was checked before its page went out does not depend on the machine."""
    monkeypatch.setattr(availability.days, "OTHERS_BUDGET", availability.days.PAGE_BUDGET)


@pytest.fixture(autouse=True)
def own_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of the database that the test before has had."""
    monkeypatch.setattr(health, "readiness", health.Readiness())


@pytest.fixture
def client() -> Client:
    return journey.browser()


@pytest.fixture
def standin(settings: Settings) -> Iterator[StandIn]:
    """A fresh stand-in CRM that the settings point at. Every day is open, no slot is taken."""
    with StandIn() as crm:
        settings.MACROCRM_URL = crm.url
        settings.MACROCRM_DOMAIN = crm.domain
        settings.MACROCRM_APP_SECRET = crm.secret
        cache.clear()
        yield crm


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A database can't be dropped while a pool has connections to it."""
    yield
    for each in connections.all():
        if isinstance(each, PostgreSQL):
            each.close()
            each.close_pool()


@pytest.fixture
def database_cache(settings: Settings, transactional_db: None) -> None:
    """The cache that the site has; needs `django_db(databases="__all__")`."""
    settings.CACHES = {**settings.CACHES, "default": settings.CACHES["database"]}
    cache.clear()
    caches["process"].clear()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server of the module's own, to break; whichever database the tests run on."""
    found = binaries()
    if found is None:
        why = "needs Debian's package postgresql"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with Postgres(found) as server:
        yield server


@pytest.fixture
def press(standin: StandIn) -> BookingRequest:
    return press_at(journey.first_free(standin))


@pytest.fixture
def addressed(press: BookingRequest) -> BookingRequest:
    """As `press`, of a client whose address is known."""
    return replace(press, client_address="198.51.100.1")
