"""Log lines and error reports hold neither the secret nor a token nor a whole phone."""

import logging

import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from booking.redaction import LineFormatter, ReportFilter, without_secrets
from booking.watch.lines import JSONFormatter

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"
KEY = "5f0c6d0e-94a5-4f6b-8a57-0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"to {PHONE}", id="phone"),
        pytest.param("phone=%2B79001234567&x=1", id="phone in a form"),
        pytest.param("phone%3D79001234567", id="phone in an address in an address"),
        pytest.param("phone=8+%28900%29+123-45-67&x=1", id="typed phone in a form"),
        pytest.param("typed 8 (900) 123-45-67", id="phone with brackets"),
        pytest.param("typed 8\xa0900\xa0123\xa045\xa067", id="phone in groups"),
        pytest.param("tel.79001234567", id="phone behind a full stop"),
        pytest.param("Key (phone)=(79001234567) already exists", id="phone without its plus"),
        pytest.param("number 89001234567", id="phone in the national form"),
        pytest.param("call +996700123456", id="foreign phone"),
        pytest.param("call=%2b996700123456", id="foreign phone in a form"),
        pytest.param(f"/estate/?time=1&token={TOKEN}", id="token"),
        pytest.param(f"token%3D{TOKEN}", id="token in an address in an address"),
        pytest.param(f"'token': '{TOKEN}'", id="token in a dict"),
        pytest.param(f'"token": "{TOKEN}"', id="token in JSON"),
        pytest.param(f'\\"token\\": \\"{TOKEN}\\"', id="token in JSON in JSON"),
        pytest.param("with example-secret in it", id="secret"),
        pytest.param(f'"GET /bookings/{KEY}/ HTTP/1.1"', id="address of a booking"),
        pytest.param(f"Key (key)=({KEY}) already exists", id="key of a booking"),
    ],
)
def test_what_must_not_be_read_is_hidden(text):
    hidden = without_secrets(text)

    assert "[hidden]" in hidden
    secrets = ("900123", "123-45-67", "45\xa067", "700123", TOKEN, "example-secret", KEY[9:])
    assert not any(secret in hidden for secret in secrets)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Booking 5f0c6d0e-94a5-4f6b-8a57-79001234567a: confirmed", id="key"),
        pytest.param("house 1274 at 2026-12-02T11:00:00+05:00", id="moment"),
        pytest.param("flat 1.8-12-1", id="flat"),
        pytest.param("+7 ··· ···-45-67", id="masked phone"),
        pytest.param("build 20261124120120078", id="long number"),
        pytest.param("answered in 0.79001234567 s", id="long fraction"),
        pytest.param("at 2026-12-07 11:00:00,123 from 10.8.100.255", id="moment and address"),
        pytest.param("7 houses, 120 flats, 300 garages, 14 days", id="counts"),
        pytest.param(f"request {TOKEN}", id="name of a request"),
    ],
)
def test_what_staff_need_stays(text):
    assert without_secrets(text) == text


def test_nothing_is_hidden_for_want_of_a_secret(settings):
    settings.MACROCRM_APP_SECRET = ""

    assert without_secrets("a line") == "a line"


def collide(phone):
    raise ValueError(f"Key (phone)=({phone}) already exists")


def test_a_traceback_in_the_log_is_hidden_too():
    with pytest.raises(ValueError, match="Key") as caught:
        collide(PHONE)
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("x", logging.ERROR, "", 1, "%s", (PHONE,), error)

    line = LineFormatter("{message}", style="{").format(record)

    assert "ValueError" in line
    assert "900123" not in line


def test_django_logs_through_the_formatter():
    handlers = logging.getLogger().handlers

    formatters = {type(handler.formatter) for handler in handlers}
    assert formatters & {LineFormatter, JSONFormatter}


def test_a_scanner_with_another_host_name_fills_no_log(client, caplog):
    response = client.get("/healthz/", headers={"host": "scanner.example"})

    assert response.status_code == 400
    assert "Traceback" not in caplog.text
    assert "scanner.example" not in caplog.text


class Fragile:
    def __repr__(self) -> str:
        raise RuntimeError


def fail(secret, phone):
    """Holds in its frame what must not be shown, and one thing that may be."""
    body = f"signed with {secret}"
    anything = {"deep": [phone]}
    fragile = Fragile()
    harmless = "a house by the river"
    raise ValueError(len((body, anything, fragile, harmless)))


def report_of(posted):
    with pytest.raises(ValueError, match="4") as caught:
        fail(settings.MACROCRM_APP_SECRET, PHONE)
    request = RequestFactory().post("/confirm/", posted)
    return ExceptionReporter(request, caught.type, caught.value, caught.tb)


@pytest.mark.parametrize("form", ["get_traceback_html", "get_traceback_text"])
def test_an_error_report_holds_no_secret(settings, form):
    settings.DEBUG = True
    settings.ELSEWHERE = {"LOCATION": "redis://:" + "cache-password"[::-1] + "@host"}

    report = getattr(report_of({"phone": "8 900 123-45-67", "flat": "1.8-12-1"}), form)()

    assert "MACROCRM_APP_SECRET" in report
    assert "1.8-12-1" in report
    for secret in ("example-secret", PHONE, "123-45-67", "drowssap-ehcac"):
        assert secret not in report


def test_a_report_shows_what_is_harmless():
    frames = report_of({}).get_traceback_frames()

    assert "a house by the river" in dict(frames[-1]["vars"])["harmless"]


def test_posted_fields_are_kept_for_the_report_except_the_phone():
    request = RequestFactory().post("/", {"phone": "123", "house": "7"})

    posted = ReportFilter().get_post_parameters(request)

    assert posted == {"phone": ReportFilter.cleansed_substitute, "house": "7"}


def test_a_report_without_a_request_has_nothing_posted():
    assert ReportFilter().get_post_parameters(None) == QueryDict("")
