"""What operators see of the running site: lines, figures, reports."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from booking.availability import cache
from booking.observability import request_id
from booking.observability.logging import JSONFormatter
from standin import StandIn
from tests import journey

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"


# Calls of the CRM, as the client tells of them


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
    page = str(journey.send(client, form).url)
    # Step 3 begins to read what else the house has, which leaves lines of its own.
    cache.wait_for_reads()
    return page


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


def test_the_time_of_a_line_is_utc():
    before = timezone.now() - timedelta(milliseconds=1)

    line = formatted("now")

    assert before.isoformat(timespec="milliseconds") <= line["time"]
    assert line["time"].endswith("+00:00")
