"""What operators see of the running site: lines, figures, reports."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sentry_sdk
from django.db import DatabaseError, OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from booking.crm import AddRequest, CallReport, CRMClient, CRMConfig, CRMError
from booking.models import Booking, Outcome
from booking.observability import error_reports, request_id, views
from booking.observability.logging import JSONFormatter
from booking.observability.metrics import Journal
from booking.rate_limits import Limit
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests import bookings, journey
from tests.crm_cases import C90, VISIT, ok
from tests.wire import Wire

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"


# Calls of the CRM, as the client tells of them


@dataclass(frozen=True, slots=True)
class Watched:
    client: CRMClient
    reports: list[CallReport]

    def told(self) -> list[tuple[str, str, str, int | None, int]]:
        return [(r.method, r.outcome, r.reason, r.http_status, r.tries) for r in self.reports]


@pytest.fixture
def watched(standin: StandIn) -> Watched:
    config = CRMConfig(base_url=standin.url, domain=standin.domain, secret=standin.secret)
    reports: list[CallReport] = []
    return Watched(CRMClient(config, on_call=reports.append), reports)


def visit(standin: StandIn, phone: str) -> AddRequest:
    start = journey.first_free(standin)
    return AddRequest(
        house_id=journey.HOUSE, flat=journey.FLAT, category="flat", starts_at=start, phone=phone
    )


def test_a_read_is_told_of(watched):
    watched.client.ready_flats("flat")

    assert watched.told() == [("getReadyFlats", "answered", "", 200, 1)]
    assert watched.reports[0].seconds > 0


def test_a_read_that_fails_twice_is_one_call_of_two_tries(watched, standin):
    standin.fail("getReadyFlats", "status", status=503)

    with pytest.raises(CRMError):
        watched.client.ready_flats("flat")

    assert watched.told() == [("getReadyFlats", "failed", "unavailable", 503, 2)]


@pytest.mark.parametrize(
    ("phone", "outcome", "reason"),
    [
        pytest.param(ACCEPTED_PHONE, "confirmed", "", id="confirmed"),
        pytest.param(REFUSED_PHONE, "refused", "no_match", id="refused"),
    ],
)
def test_a_booking_is_told_of_with_its_outcome(watched, standin, phone, outcome, reason):
    reply = watched.client.add(visit(standin, phone))

    (report,) = watched.reports
    assert (report.method, report.outcome, report.reason) == ("add", reply.outcome, reply.reason)
    assert report.outcome == outcome


# Lines


class Lines(logging.Handler):
    """What a JSON log would hold."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JSONFormatter())
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    def of(self, logger: str) -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in self.written]
        return [line for line in parsed if line["logger"] == logger]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


REQUESTS = "booking.observability.middleware"
CALLS = "booking.observability.crm_calls"


@pytest.mark.django_db
def test_a_request_is_one_line_without_its_address(client, standin, lines):
    response = client.get(f"/?house={journey.HOUSE}&utm_source=campaign")

    (line,) = lines.of(REQUESTS)
    assert line["method"] == "GET"
    assert line["route"] == "booking:choose_flat"
    assert line["status"] == 200
    assert line["bytes"] == len(response.content)
    assert 0 < line["seconds"] < 60
    assert line["request"] == response.headers["X-Request-ID"]
    assert "campaign" not in str(line)


@pytest.mark.django_db
def test_a_call_of_the_crm_belongs_to_the_request_that_made_it(client, standin, lines):
    response = client.get(f"/time/?category=flat&house={journey.HOUSE}&flat={journey.FLAT}")

    calls = lines.of(CALLS)
    assert {call["method"] for call in calls} >= {"getReadyFlats", "getFreeTimes"}
    assert {call["outcome"] for call in calls} == {"answered"}
    assert {call["request"] for call in calls} == {response.headers["X-Request-ID"]}


def test_a_name_that_a_proxy_gave_is_kept(client, settings):
    settings.TRUSTED_PROXIES = 1

    response = client.get("/healthz/", headers={"X-Request-ID": "edge-0123456789"})

    assert response.headers["X-Request-ID"] == "edge-0123456789"


@pytest.mark.parametrize("given", ["", "short", 'x"} {"level":"error', "x" * 65, "ночь-и-день"])
def test_anything_else_is_replaced_by_a_name_of_our_own(client, settings, given):
    settings.TRUSTED_PROXIES = 1

    response = client.get("/healthz/", headers={"X-Request-ID": given})

    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_a_client_without_a_proxy_names_no_request(client):
    response = client.get("/healthz/", headers={"X-Request-ID": "edge-0123456789"})

    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_outside_of_a_request_there_is_no_name(client):
    client.get("/healthz/")

    assert request_id.current.get() == ""


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/", "/static/css/site.css"])
@pytest.mark.django_db
def test_what_is_asked_all_the_time_leaves_no_line(client, lines, path):
    response = client.get(path)
    response.close()

    assert response.status_code == 200
    assert lines.of(REQUESTS) == []


def test_an_address_without_a_view_has_no_name(client, lines, db):
    client.get("/nowhere/79001234567/")

    (line,) = lines.of(REQUESTS)
    assert (line["route"], line["status"]) == ("none", 404)


# What Django itself says of an address: it may be all it takes to open a booking


@pytest.fixture
def booked(client: Client, standin: StandIn) -> str:
    """The address of a booking's page."""
    form = journey.fill_in(client, journey.first_free(standin))
    return str(journey.send(client, form).url)


def break_a_page(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(key: object) -> None:
        raise error

    monkeypatch.setattr("booking.services.booking.find", fail)


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("broken"), 500), (OperationalError("away"), 503)]
)
@pytest.mark.django_db(transaction=True)
def test_a_page_that_breaks_leaves_its_traceback_without_its_address(
    client, booked, lines, monkeypatch, error, status
):
    client.raise_request_exception = False
    break_a_page(monkeypatch, error)

    response = client.get(booked)

    assert response.status_code == status
    assert str(error) in "".join(lines.written)
    assert booked.split("/")[2] not in "".join(lines.written)
    told_by = {json.loads(line).get("request") for line in lines.written}
    assert told_by == {response.headers["X-Request-ID"]}


@pytest.mark.django_db(transaction=True)
def test_a_refused_form_leaves_the_reason_without_its_address(booked, lines):
    theirs = {"Origin": "https://other.example"}
    response = Client().post(f"{booked}again/", headers=theirs)

    (line,) = lines.of("booking.views.cross_site")
    assert line["message"] == (
        "A form was refused: other site (Sec-Fetch-Site '', Origin 'https://other.example')"
    )
    assert line["request"] == response.headers["X-Request-ID"]
    assert booked not in "".join(lines.written)


@pytest.mark.parametrize("path", ["{booked}", "/nowhere/"])
@pytest.mark.django_db(transaction=True)
def test_a_request_that_fails_without_a_bug_is_one_line(client, booked, lines, path):
    response = client.put(path.format(booked=booked))

    assert response.status_code in {404, 405}
    (line,) = [json.loads(line) for line in lines.written]
    assert line["logger"] == REQUESTS


@pytest.mark.django_db
def test_a_crm_that_is_out_fills_no_log_with_tracebacks(client, standin, lines):
    standin.fail("getReadyFlats", "status", status=503)

    responses = [client.get("/") for _page in range(2)]

    assert [response.status_code for response in responses] == [503, 503]
    told = lines.of("booking.middleware.error_pages")
    assert [line["level"] for line in told] == ["warning", "warning"]
    assert "traceback" not in "".join(lines.written)
    assert [line["status"] for line in lines.of(REQUESTS)] == [503, 503]


def formatted(message: str, *arguments: object, **extra: Any) -> dict[str, Any]:
    record = logging.LogRecord("x", logging.ERROR, "", 1, message, arguments, None)
    record.__dict__.update(extra)
    line: dict[str, Any] = json.loads(JSONFormatter().format(record))
    return line


def test_a_line_is_cleansed_before_it_is_quoted(settings: Settings):
    settings.MACROCRM_APP_SECRET = 'quoted"and\\slashed'

    line = formatted("with %s", settings.MACROCRM_APP_SECRET, fields={"phone": PHONE, "n": 1})

    assert line["message"] == "with [hidden]"
    assert line["phone"] == "[hidden]"
    assert line["n"] == 1


def test_a_traceback_is_one_field_of_one_line():
    with pytest.raises(ValueError, match="invalid") as caught:
        int(PHONE + "x")
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("x", logging.ERROR, "", 1, "failed with %s", (PHONE,), error)

    line = JSONFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "failed with [hidden]"
    assert "ValueError" in json.loads(line)["traceback"]


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


# Error reports


class Kept(Transport):
    """Keeps what would have been sent."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)

    def text(self) -> str:
        return "\n".join(item.payload.get_bytes().decode() for e in self.sent for item in e.items)


@pytest.fixture
def reports(settings: Settings) -> Iterator[Kept]:
    settings.SENTRY_DSN = "https://key@sentry.example/1"
    kept = Kept()
    sentry_sdk.init(**error_reports.options() | {"transport": kept})
    yield kept
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)


@pytest.mark.django_db(transaction=True)
def test_a_report_tells_where_and_nothing_else(client: Client, standin, reports, monkeypatch):
    form = journey.fill_in(client, journey.first_free(standin))
    client.raise_request_exception = False

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"of {PHONE} with example-secret, token={TOKEN}")

    monkeypatch.setattr("booking.services.booking.book", fail)
    journey.send(client, form)

    text = reports.text()
    assert "RuntimeError" in text
    assert "[hidden]" in text
    assert "/confirm/" in text
    for secret in ("900123", "example-secret", TOKEN, "csrftoken", journey.FLAT, "127.0.0.1"):
        assert secret not in text, secret


def test_the_calls_of_the_crm_leave_no_crumbs_and_carry_no_headers(reports):
    with Wire(ok(C90)) as wire:
        config = CRMConfig(base_url=wire.url, domain="x.example", secret="example-secret")
        CRMClient(config).add(VISIT)
    sentry_sdk.capture_message("now")

    assert "httplib" not in reports.text()
    assert "/estate/transfer" not in reports.text()
    assert not {"sentry-trace", "baggage"} & wire.received[0].headers.keys()


def test_without_an_address_there_are_no_reports(settings: Settings):
    settings.SENTRY_DSN = ""

    error_reports.start()

    assert not sentry_sdk.get_client().is_active()


def test_the_time_of_a_line_is_utc():
    before = timezone.now() - timedelta(milliseconds=1)

    line = formatted("now")

    assert before.isoformat(timespec="milliseconds") <= line["time"]
    assert line["time"].endswith("+00:00")
