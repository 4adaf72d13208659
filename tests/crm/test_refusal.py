"""A CRM that refuses the site itself: its secret, its domain, its clock or its address."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from booking import crm_refusal, shared_cache
from booking.crm import CallReport
from booking.crm_client import crm_client
from booking.models import Booking
from booking.observability.crm_calls import record_crm_call
from standin import StandIn
from tests.bookings import staff
from tests.journey import fill_in, first_free, send, text_of

pytestmark = pytest.mark.django_db

TOLD = "отказывает этому сайту"


def report(method: str = "getReadyFlats", outcome: str = "failed", reason: str = "") -> CallReport:
    return CallReport(
        method=method, outcome=outcome, reason=reason, http_status=200, tries=1, seconds=0.1
    )


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.mark.parametrize("reason", ["misconfigured", "unsigned", "wrongaddress"])
def test_it_is_a_warning_in_the_log_and_remembered(caplog, reason):
    caplog.set_level(logging.INFO)
    record_crm_call(report(reason=reason))
    crm_refusal.note(report(reason=reason))

    (record,) = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "booking.observability.crm_calls")
    since = crm_refusal.since()
    assert since
    assert timezone.now() - since < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("method", "outcome", "reason"),
    [
        ("getReadyFlats", "answered", ""),
        ("getReadyFlats", "failed", "unavailable"),
        ("getFreeTimes", "failed", "refused"),
        ("add", "refused", "no_match"),
        ("add", "in_doubt", "no_answer"),
    ],
)
def test_what_needs_no_operator_is_neither(caplog, method, outcome, reason):
    caplog.set_level(logging.INFO)
    record_crm_call(report(method, outcome, reason))
    crm_refusal.note(report(method, outcome, reason))

    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert crm_refusal.since() is None


def test_one_that_another_process_has_met_is_over_within_a_minute(monkeypatch):
    crm_refusal.note(report("add", "confirmed"))
    shared_cache.set("crm-refusal:add", time.time(), 60)
    assert crm_refusal.since()

    later = time.monotonic() + crm_refusal.LOOK_EVERY + 1
    monkeypatch.setattr("time.monotonic", lambda: later)
    crm_refusal.note(report("add", "confirmed"))

    assert crm_refusal.since() is None


def test_the_first_refusal_is_what_staff_want_to_know(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    crm_refusal.note(report(reason="unsigned"))
    monkeypatch.setattr("time.time", lambda: 1_800_000_900.0)
    crm_refusal.note(report("getFreeTimes", reason="unsigned"))
    crm_refusal.note(report(reason="unsigned"))

    since = crm_refusal.since()

    assert since
    assert since.timestamp() == 1_800_000_000.0


@pytest.fixture
def olga() -> Client:
    return staff("olga", "operators")


def test_a_wrong_secret_stands_on_the_desk_until_the_crm_accepts_it(
    client: Client, olga: Client, standin: StandIn, settings: Settings
):
    settings.MACROCRM_APP_SECRET = "not the CRM's"
    assert client.get("/").status_code == 503
    assert TOLD in text_of(olga.get("/admin/"))

    settings.MACROCRM_APP_SECRET = standin.secret
    crm_client().ready_flats("flat")
    assert TOLD not in text_of(olga.get("/admin/"))


@pytest.mark.django_db(transaction=True)
def test_so_does_a_booking_that_is_refused_so(client: Client, olga: Client, standin: StandIn):
    form = fill_in(client, first_free(standin))
    standin.fail("add", "status", status=405)
    send(client, form)

    assert Booking.objects.get().reason == "misconfigured"
    # Reads are answered all the while.
    client.get("/")
    assert TOLD in text_of(olga.get("/admin/"))

    standin.recover()
    send(client, fill_in(client, first_free(standin)))
    assert TOLD not in text_of(olga.get("/admin/"))
