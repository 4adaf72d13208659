"""Every case of a reply to `add` once more through the whole site: page, row, trail, calls."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
import trustme
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from booking.crm import AddOutcome, Reason
from booking.models import Booking
from standin.fixtures import ACCEPTED_PHONE
from tests.crm_cases import ADD_CASES, CLOSED, UNTRUSTED, ZONE, AddCase, houses, ok
from tests.journey import FLAT, HOUSE, fill_in, heading, send, text_of
from tests.wire import Received, Wire, closed_port

pytestmark = pytest.mark.django_db

READY = houses(f'[{{"id":"{HOUSE}","title":"Дом 1","flats":["{FLAT}"]}}]')
TIMES = '{"status_code":200,"data":{"0":"%s","1":"16:30"},"message":"Выполнено"}'
FREE, TAKEN = ok(TIMES % "11:00"), ok(TIMES % "11:30")

NOT_BOOKED = "Записаться не получилось"
IN_DOUBT = ("Проверяем вашу запись", "не записывайтесь повторно")
# What the buyer reads: the page's heading, and words that stand on no other of these pages.
PAGES = {
    AddOutcome.CONFIRMED: {Reason.NONE: ("Вы записаны", "Ждём вас")},
    AddOutcome.IN_DOUBT: dict.fromkeys(Reason, IN_DOUBT),
    AddOutcome.NOT_SENT: {Reason.UNREACHABLE: ("Запись не отправлена", "ничего не потеряли")},
    AddOutcome.REFUSED: {
        Reason.SLOT_TAKEN: ("Когда вам удобно приехать?", "уже записался кто-то другой"),
        Reason.NO_MATCH: (NOT_BOOKED, "не тот телефон, что указан в договоре"),
        Reason.DECLINED: (NOT_BOOKED, "не тот телефон, что указан в договоре"),
        Reason.BUSY: (NOT_BOOKED, "перегружена"),
        Reason.MISCONFIGURED: (NOT_BOOKED, "наша ошибка, не ваша"),
    },
}
# Where a look at the time may tell more: in doubt, and after a refusal that a rival would explain.
LOOKED_AT = {Reason.SLOT_TAKEN, Reason.DECLINED}
SIGNATURE = {"domain", "time", "token"}


@pytest.fixture(scope="module")
def untrusted() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def crm(settings: Settings) -> Iterator[Wire]:
    """A CRM with one flat, in which 11:00 and 16:30 are free on every day."""
    with Wire() as wire:
        wire.serve(READY, on="getReadyFlats")
        wire.serve(FREE, on="getFreeTimes")
        settings.MACROCRM_URL = wire.url
        cache.clear()
        yield wire


@pytest.fixture
def form(crm: Wire, client: Client) -> dict[str, str]:
    """The last step, filled in."""
    tomorrow = datetime.now(ZONE) + timedelta(days=1)
    return fill_in(client, tomorrow.replace(hour=11, minute=0))


@pytest.mark.parametrize("case", ADD_CASES, ids=lambda case: case.number)
def test_every_case_of_a_reply(case, crm, form, client, settings, untrusted):
    with answering(case, crm, settings, untrusted):
        pressed = send(client, form)
        page = client.get(pressed.url)
        pressed_again = send(client, form)

    booking = Booking.objects.get()
    trail = list(booking.events.all())
    calls = [received for received in crm.received if received.method == "add"]
    assert (pressed.status_code, pressed_again.status_code) == (302, 302)
    assert pressed_again.url == pressed.url
    assert_page(case, page, settled=trail[1])
    assert_row(case, booking, form)
    assert_trail(case, trail, calls)
    assert len(calls) == case.requests()
    for call in calls:
        assert_asked_for(call, form)


@contextmanager
def answering(
    case: AddCase, crm: Wire, settings: Settings, untrusted: ssl.SSLContext
) -> Iterator[None]:
    """Until the end of the block the CRM answers the button as the case has it."""
    settings.MACROCRM_READ_TIMEOUT = case.patience
    if case.expected.reason is Reason.SLOT_TAKEN:
        crm.serve(TAKEN, on="getFreeTimes")
    if case.served is not None:
        crm.serve(case.served, on="add")
        yield
        return
    with Wire(tls=untrusted) as secure:
        urls = {CLOSED: f"http://127.0.0.1:{closed_port()}", UNTRUSTED: secure.url}
        settings.MACROCRM_URL = urls.get(case.url, case.url)
        yield


def assert_page(case, page, settled):
    title, words = PAGES[case.expected.outcome][case.expected.reason]
    html = text_of(page)
    assert page.status_code == HTTPStatus.OK
    assert heading(page) == title
    assert words in html
    assert ACCEPTED_PHONE[2:] not in html
    # The CRM's own words are for staff. What is shorter may well be a word of ours.
    told = settled.facts["message"]
    assert len(told) < 6 or told not in html


def assert_row(case, booking, form):
    assert (booking.outcome, booking.reason) == (case.expected.outcome, case.expected.reason)
    assert (booking.house_id, booking.flat, booking.category) == (HOUSE, FLAT, "flat")
    assert f"{booking.starts_at_local:%Y-%m-%dT%H:%M}" == form["start"]
    assert booking.phone.as_e164 == ACCEPTED_PHONE
    assert booking.settled_at is not None


def assert_trail(case, trail, calls):
    expected = case.expected
    first, settled, *later = trail
    is_looked_at = expected.outcome is AddOutcome.IN_DOUBT or expected.reason in LOOKED_AT
    # Later, where the CRM wants no call for a while.
    is_looked_at &= "Retry-After" not in dict(getattr(case.served, "headers", ()))
    assert (first.kind, settled.kind) == ("sending", expected.outcome)
    assert [event.kind for event in later] == ["evidence"] * is_looked_at

    facts = settled.facts
    assert facts["reason"] == expected.reason
    assert facts["reference"] == expected.reference
    assert expected.tells in f"{facts['message']} {facts['remarks']}"
    assert len(facts["message"]) <= 300
    assert "<" not in facts["message"]
    secrets = {"example-secret", ACCEPTED_PHONE[2:], *(call.params["token"] for call in calls)}
    facts_of_all = str([event.facts for event in trail])
    assert not [secret for secret in secrets if secret in facts_of_all]


def assert_asked_for(call: Received, form: dict[str, str]) -> None:
    """The CRM was asked for what the buyer chose, and for nothing else."""
    asked = {name: text for name, text in call.params.items() if name not in SIGNATURE}
    assert asked == {
        "house_id": HOUSE,
        "flat_num": FLAT,
        "category": "flat",
        "phone": ACCEPTED_PHONE,
        "transfer_date": f"{form['start']}:00+05:00",
    }
