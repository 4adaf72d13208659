"""Log lines and error reports hold neither the secret nor a token nor a whole phone."""

import logging
import re

import phonenumbers
import pytest
from django.conf import settings
from django.http import QueryDict
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from phonenumber_field.phonenumber import PhoneNumber

from booking.observability.logging import JSONFormatter
from booking.redaction import LONGEST, LineFormatter, ReportFilter, without_secrets
from tests.costs import cost

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"
KEY = "5f0c6d0e-94a5-4f6b-8a57-0123456789ab"
SHORT_KEY = "XwxtDpSlT2uKVwEjRWeJqw"


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
        pytest.param("call +998 90 123 45 67", id="foreign phone in groups"),
        pytest.param("call 998 90 123-45-67", id="foreign phone without its plus"),
        pytest.param("Key (phone)=(375291234567)", id="foreign phone in one run"),
        pytest.param("no match for 9001234567", id="phone without its 8"),
        pytest.param("phone=%209001234567&x=1", id="phone without its 8 in a form"),
        pytest.param("ask (900) 123-45-67", id="phone in groups without its 8"),
        pytest.param("8.900.123.45.67", id="phone with full stops"),
        pytest.param("+7 900 123‑45‑67", id="phone with dashes that do not break"),
        pytest.param(repr("8\xa0900\u2009123\u201145\u201167"), id="phone as Python quotes it"),
        pytest.param(repr(PhoneNumber.from_string(PHONE)), id="phone of the library"),
        pytest.param(repr(PhoneNumber.from_string("+491701234567")), id="one that is no moment"),
        pytest.param(repr(phonenumbers.parse(PHONE)), id="phone of the library below"),
        pytest.param(str(phonenumbers.parse(PHONE)), id="phone in the library's words"),
        pytest.param(phonenumbers.format_number(phonenumbers.parse(PHONE), 3), id="address"),
        pytest.param(f"/estate/?time=1&token={TOKEN}", id="token"),
        pytest.param(f"token%3D{TOKEN}", id="token in an address in an address"),
        pytest.param(f"'token': '{TOKEN}'", id="token in a dict"),
        pytest.param(f'"token": "{TOKEN}"', id="token in JSON"),
        pytest.param(f'\\"token\\": \\"{TOKEN}\\"', id="token in JSON in JSON"),
        pytest.param("with example-secret in it", id="secret"),
        pytest.param(f'"GET /bookings/{KEY}/ HTTP/1.1"', id="address of a booking"),
        pytest.param(f'"GET /b/{SHORT_KEY}/ HTTP/1.1"', id="short address of a booking"),
        pytest.param(f"Key (key)=({KEY}) already exists", id="key of a booking"),
    ],
)
def test_what_must_not_be_read_is_hidden(text):
    hidden = without_secrets(text)

    assert "[hidden]" in hidden
    phones = ("900123", "123-45-67", "45\xa067", "700123", "1234567", "123 45 67", "291234")
    odd_phones = ("123‑45", "\\u201145", "123.45")
    secrets = (*phones, *odd_phones, TOKEN, "example-secret", KEY[9:], SHORT_KEY)
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
        pytest.param("house 3105011, houses 3105011 3105034", id="houses"),
        pytest.param("at 1764115200, 1764115200.123 or 1764115200123", id="moments in seconds"),
        pytest.param("flats 1-12, 9-123-45-67, К-1.4-7-1, 900-1", id="flats"),
        pytest.param("call 9 2026-12-02 11:00:00 from 95.172.145.23", id="count before a moment"),
        pytest.param("booking А1234ВЕ of 02.12.2026 11:00", id="booking"),
        pytest.param('File "/srv/site/x.py", line 998, in <module>', id="line of a traceback"),
    ],
)
def test_what_staff_need_stays(text):
    assert without_secrets(text) == text


def test_nothing_is_hidden_for_want_of_a_secret(settings):
    settings.MACROCRM_APP_SECRET = ""

    assert without_secrets("a line") == "a line"


FILLINGS = ["(", "8 ", "9", "+7 (", "8 (900) ", "%20", "token", "key)=(", "\\u20", "a1"]


@pytest.mark.parametrize("filling", FILLINGS)
def test_a_long_text_costs_no_more_than_its_ends(filling):
    text = filling * (1_000_000 // len(filling))

    assert len(without_secrets(text)) <= LONGEST + 100
    assert cost(lambda: without_secrets(text), tries=1) < 0.2


def test_the_ends_of_a_long_text_stay():
    text = f"it began {'x' * 30_000} and ended"

    assert without_secrets(text).startswith("it began")
    assert without_secrets(text).endswith("and ended")
    assert "of 30019 characters" in without_secrets(text)


@pytest.mark.parametrize("before", range(0, 60, 3))
def test_no_half_of_a_secret_is_left_at_a_cut(before):
    for many in (f"{PHONE} ", "8 (900) 123-45-67 ", "with example-secret ", f"token={TOKEN} "):
        head, _note, tail = without_secrets("-" * before + many * 5_000).splitlines()

        assert not re.search(r"900|\d-67|example|secret|0123|cdef", head + tail)


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
    response = client.get("/", headers={"host": "scanner.example"})

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
    settings.ELSEWHERE = {"LOCATION": "smtp://:" + "cache-password"[::-1] + "@host"}

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
