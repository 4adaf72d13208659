"""Figures for Prometheus."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils import timezone
from prometheus_client import REGISTRY

from booking.models import Booking, Outcome
from booking.observability import views
from booking.observability.metrics import Journal
from booking.rate_limits import Limit
from tests import bookings, journey

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"


# Figures


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def figures_page() -> str:
    return views.figures(RequestFactory().get("/")).content.decode()


@pytest.mark.django_db
def test_requests_and_calls_are_counted(client, standin):
    request = {"route": "booking:choose_flat", "method": "GET", "status": "200"}
    call = {"method": "getReadyFlats", "outcome": "answered", "reason": ""}
    before = figure("handover_requests_total", **request)
    called = figure("handover_crm_calls_total", **call)

    client.get("/")

    assert figure("handover_requests_total", **request) == before + 1
    assert figure("handover_crm_calls_total", **call) == called + 1


@pytest.mark.django_db
def test_what_the_cache_spares_is_counted(client, standin):
    missing = figure("handover_cache_looks_total", found="missing")
    fresh = figure("handover_cache_looks_total", found="fresh")

    client.get("/")
    client.get("/")

    assert figure("handover_cache_looks_total", found="missing") == missing + 1
    assert figure("handover_cache_looks_total", found="fresh") == fresh + 1


def step_views() -> list[float]:
    return [figure("handover_step_views_total", step=step) for step in ("1", "2", "3")]


TIMES = f"/time/?category=flat&house={journey.HOUSE}&flat={journey.FLAT}"


@pytest.mark.django_db
def test_each_step_that_a_buyer_sees_is_counted(client, standin):
    before = step_views()
    start = f"{journey.first_free(standin):%Y-%m-%dT%H:%M}"

    client.get("/")
    client.get(TIMES)
    client.get(TIMES)
    client.get(TIMES.replace("/time/", "/confirm/") + f"&start={start}")

    assert step_views() == [before[0] + 1, before[1] + 2, before[2] + 1]


@pytest.mark.django_db
def test_no_step_is_counted_that_no_buyer_sees(client, standin):
    before = step_views()

    client.head(TIMES)
    client.get(TIMES, headers={"sec-purpose": "prefetch"})
    client.get(TIMES, headers={"sec-purpose": "prefetch;prerender"})
    client.get(f"/?flat={journey.FLAT}")
    client.get("/time/?house=0")
    client.get("/accessibility/")
    journey.send(client, journey.answers(journey.first_free(standin)) | {"phone": "12"})
    standin.fail("getReadyFlats", "status")
    client.get("/?category=garage")

    assert step_views() == before


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("handover_turned_away_total", "reason", ["full", "client"]),
        ("handover_staff_logins_total", "result", ["right", "wrong", "must_wait"]),
        ("handover_limits_total", "limit", list(Limit)),
    ],
)
def test_what_alerts_look_at_is_there_before_it_happens(name, label, values):
    for value in values:
        assert REGISTRY.get_sample_value(name, {label: value}) is not None


@pytest.mark.django_db(transaction=True)
def test_bookings_are_counted_as_they_stand(client, standin):
    start = journey.first_free(standin)
    journey.send(client, journey.fill_in(client, start))
    standin.fail("add", "drop_after_write")
    journey.send(client, journey.fill_in(client, start + timedelta(days=1), flat="1.8-12-2"))

    page = figures_page()

    assert 'handover_bookings{state="expected"} 1.0' in page
    assert 'handover_bookings{state="in_doubt"} 1.0' in page
    assert 'handover_bookings{state="sending"} 0.0' in page


@pytest.mark.django_db
def test_what_was_moved_called_off_or_is_over_is_no_visit_that_is_expected():
    now = timezone.now()
    for number in range(2):
        bookings.booking(flat=f"1.{number}", moved_at=now)
    for number in range(3):
        bookings.booking(flat=f"2.{number}", called_off_at=now)
    for number in range(4):
        bookings.booking(flat=f"3.{number}", starts_at=now - timedelta(hours=1))
    bookings.booking()

    page = figures_page()

    counts = {"moved": 2, "called_off": 3, "over": 4, "expected": 1, "in_doubt": 0, "refused": 0}
    for state, count in counts.items():
        assert f'handover_bookings{{state="{state}"}} {count}.0' in page


@pytest.mark.parametrize(
    ("late_by", "overdue"), [(timedelta(seconds=-30), "0.0"), (timedelta(seconds=1), "1.0")]
)
@pytest.mark.django_db
def test_a_booking_is_overdue_only_past_its_deadline(late_by, overdue):
    bookings.booking(outcome=Outcome.SENDING, deadline_at=timezone.now() - late_by)

    page = figures_page()

    assert 'handover_bookings{state="sending"} 1.0' in page
    assert f"handover_bookings_overdue {overdue}\n" in page


def test_without_a_database_the_other_figures_are_told(monkeypatch):
    def fail(*args: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(Booking.objects, "order_by", fail)

    assert list(Journal().collect()) == []
    page = figures_page()
    assert "handover_crm_calls" in page
    assert "handover_bookings" not in page


def test_made_up_methods_make_no_new_figures(client, db):
    client.generic("BREW", "/")

    page = figures_page()
    assert "BREW" not in page
    assert 'method="other"' in page
