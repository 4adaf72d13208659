"""Reports of errors tell where, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.test import Client
from pytest_django.fixtures import Settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from booking.crm import CRMClient, CRMConfig
from booking.observability import error_reports
from tests import journey
from tests.crm_cases import C90, VISIT, ok
from tests.wire import Wire

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"


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
