"""Any answer of the CRM, through the pages: no error of ours, and no yes that was not said.

`test_crm_replies` does the same to the client alone. Here the bytes come over a socket, and what
counts is the page, the row and its trail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from booking import crm_budget
from booking.models import Booking
from standin.fixtures import ACCEPTED_PHONE
from tests.crm.test_replies import BODIES, JSON_VALUES
from tests.crm_cases import FAILED, HTML, JSON, THANKS, ZONE, houses, ok
from tests.fuzzing import INJECTIONS, assert_sound, fuzzed, undone
from tests.journey import (
    FLAT,
    HOUSE,
    answers,
    fill_in,
    heading,
    offered,
    offered_times,
    send,
    text_of,
)
from tests.wire import Answer, Behaviour, Bytes, HangUp, Wire

pytestmark = pytest.mark.django_db

READY = houses(f'[{{"id":"{HOUSE}","title":"Дом 1","flats":["{FLAT}"]}}]')
FREE = ok('{"status_code":200,"data":["11:00","16:30"],"message":"Выполнено"}')

# What the CRM may repeat of the request, and must stand nowhere afterwards.
SECRETS = ("example-secret", ACCEPTED_PHONE[2:])
ECHOES = (f"Телефон {ACCEPTED_PHONE} не найден", "secret=example-secret", "89001234567")
TEXTS = st.sampled_from([*INJECTIONS, *ECHOES, THANKS, FAILED, "", "Выполнено"]) | st.text()
CODE_VALUES: tuple[Any, ...] = (
    200,
    "200",
    200.0,
    True,
    "200 OK",
    201,
    400,
    403,
    409,
    429,
    500,
    None,
    [200],
)
CODES = st.sampled_from(CODE_VALUES) | JSON_VALUES
FLAG_VALUES: tuple[Any, ...] = (True, False, 0, 1, "", "0", "1", "false", [], ["x"], {"x": 1}, None)
FLAGS = st.sampled_from(FLAG_VALUES)

# What is nearly the CRM's envelope, with each method's own data or another's.
HOUSES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.sampled_from([HOUSE, 1, "1"]) | TEXTS | JSON_VALUES,
            "title": TEXTS | JSON_VALUES,
            "flats": st.lists(st.just(FLAT) | TEXTS | JSON_VALUES) | JSON_VALUES,
        },
    ),
    max_size=4,
)
CLOCKS = st.sampled_from(["11:00", "9:30", "09:00:00", "24:00", "11:00-11:30"]) | TEXTS
TIMES = st.lists(CLOCKS | JSON_VALUES) | st.dictionaries(st.text("0123456789"), CLOCKS)
DATA = HOUSES | HOUSES.map(lambda items: {"houses": items}) | TIMES | JSON_VALUES
ENVELOPES = st.fixed_dictionaries(
    {"status_code": st.just(200) | CODES},
    optional={
        "data": DATA,
        "message": TEXTS | JSON_VALUES,
        "error": FLAGS,
        "success": FLAGS,
        "errors": FLAGS,
    },
)
TYPES = st.sampled_from(
    [JSON, HTML, (), (("Content-Type", "text/html; charset=windows-1251"),), (("X-Odd", "\xff"),)]
)
MORE_HEADERS = st.sampled_from(
    [
        (),
        (),
        (("Content-Encoding", "gzip"),),
        (("Content-Encoding", "br"),),
        (("Retry-After", "soon"),),
        (("Retry-After", "99999999999"),),
        (("Location", f"https://example.org/?token={ACCEPTED_PHONE}"),),
        (("Location", "//\xff"),),
        (("Set-Cookie", "a=b"), ("X-Stand-In", "x")),
        (("Date", "Thu, 99 Nov 0000 99:99:99 GMT"),),
        (("Content-Length", "-1"),),
        (("Transfer-Encoding", "chunked"),),
    ]
)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 206, 302, 400, 403, 404, 409, 429, 500, 502])


def answer_of(envelope: Any, status: int, kind: Any, more: Any) -> Answer:
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    return Answer(status, (*kind, *more), body)


REPLIES: st.SearchStrategy[Behaviour] = st.one_of(
    st.builds(answer_of, ENVELOPES, st.just(200), st.just(JSON), st.just(())),
    st.builds(answer_of, ENVELOPES, STATUSES, st.just(JSON), st.just(())),
    st.builds(answer_of, ENVELOPES | BODIES, STATUSES, TYPES, MORE_HEADERS),
    st.builds(answer_of, BODIES, STATUSES | st.integers(200, 999), TYPES, st.just(())),
    st.binary(max_size=200).map(lambda data: Bytes(b"HTTP/1.1 200 OK\r\n" + data)),
    st.binary(min_size=1, max_size=200).map(Bytes),
    st.just(HangUp()),
)


@pytest.fixture
def crm(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # No pause before a read is tried again: nothing here gets better with time.
    monkeypatch.setattr("booking.crm.client.PAUSE", 0)
    settings.MACROCRM_READ_TIMEOUT = 2
    settings.BOOKING_HORIZON_DAYS = 2
    with Wire() as wire:
        wire.serve(READY, on="getReadyFlats")
        wire.serve(FREE, on="getFreeTimes")
        settings.MACROCRM_URL = wire.url
        cache.clear()
        yield wire


def tomorrow() -> datetime:
    return datetime.now(ZONE).replace(hour=11, minute=0) + timedelta(days=1)


def assert_read_or_away(page: Any) -> None:
    """The page, the step to go back to, or the page that says the CRM is away."""
    assert_sound(page)
    assert page.status_code in {200, 302, 503}
    if page.status_code == 503:
        assert heading(page) == "Запись временно недоступна"
        assert int(page.headers["Retry-After"]) > 0


@fuzzed
@given(reply=REPLIES)
def test_any_list_of_houses(crm: Wire, reply: Behaviour) -> None:
    crm.serve(reply, on="getReadyFlats")
    cache.clear()
    start = tomorrow()
    for path in ("/", f"/?house={HOUSE}", f"/?flat={FLAT}"):
        page = Client().get(path)
        assert_read_or_away(page)
        for url in [url for url in offered(page) if url.startswith("/time/")][:2]:
            assert_read_or_away(Client().get(url))
    assert_read_or_away(Client().get("/confirm/", answers(start)))

    assert crm.count("add") == 0


@fuzzed
@given(reply=REPLIES)
def test_any_times_of_a_day(crm: Wire, reply: Behaviour) -> None:
    crm.serve(READY, on="getReadyFlats")
    crm.serve(reply, on="getFreeTimes")
    cache.clear()
    start = tomorrow()
    chosen = answers(start)
    del chosen["start"]
    page = Client().get("/time/", chosen)
    assert_read_or_away(page)
    for url in offered_times(page)[:2]:
        assert_read_or_away(Client().get(url))
    assert_read_or_away(Client().get("/confirm/", answers(start)))

    assert crm.count("add") == 0


def test_any_reply_to_a_booking(crm: Wire) -> None:
    form = fill_in(Client(), tomorrow())
    seen = set()

    @fuzzed
    @given(reply=REPLIES)
    def book(reply: Behaviour) -> None:
        seen.add(outcome_of(reply, crm, form))

    book()
    assert seen == {"confirmed", "refused", "in_doubt"}


YES: dict[str, Any] = {"status_code": 200, "data": [], "message": "Выполнено"}
ONE_THING: list[dict[str, Any]] = [
    *({"error": flag} for flag in FLAG_VALUES),
    *({"success": flag} for flag in FLAG_VALUES),
    *({"errors": flag} for flag in FLAG_VALUES),
    *({"status_code": code} for code in CODE_VALUES),
    *({"message": text} for text in (*ECHOES, *INJECTIONS, THANKS, FAILED)),
    *({"error": text} for text in ECHOES),
    *({"data": {"id": text}} for text in ECHOES),
    *({"errors": {text: [text]}} for text in ECHOES),
]


@pytest.mark.parametrize("status", [200, 400])
def test_a_yes_with_one_thing_changed(crm: Wire, status: int) -> None:
    form = fill_in(Client(), tomorrow())
    for change in ONE_THING:
        outcome_of(answer_of(YES | change, status, JSON, ()), crm, form)


def outcome_of(reply: Behaviour, crm: Wire, form: dict[str, str]) -> str:
    """Book, check everything that must hold whatever the reply, and forget the booking."""
    crm.serve(reply, on="add")
    # A pause that the reply before has asked for.
    cache.delete(crm_budget.PAUSE)
    before = crm.count("add")
    with undone():
        response = send(Client(), form)
        booking = Booking.objects.get()
        trail = str([event.facts for event in booking.events.all()])
        page = Client().get(response.url)
        send(Client(), form)

    assert crm.count("add") == before + 1
    assert_sound(page)
    assert (heading(page) == "Вы записаны") == (booking.outcome == "confirmed")
    assert not [secret for secret in SECRETS if secret in trail + text_of(page)]
    assert booking.outcome in {"confirmed", "refused", "in_doubt"}
    if booking.outcome == "confirmed":
        assert_said_yes(reply)
    if booking.outcome == "refused":
        assert_said_no(reply)
    return str(booking.outcome)


def assert_said_yes(reply: Behaviour) -> None:
    """HTTP 2xx, the code 200 and nothing that says otherwise."""
    assert isinstance(reply, Answer)
    fields = fields_of(reply)
    assert 200 <= reply.status < 300
    assert fields["status_code"] in (200, "200")
    assert not isinstance(fields["status_code"], bool)
    assert fields.get("error") in (None, False, 0, "", "0", "false", [], {})
    assert fields.get("success") in (None, True, 1, "1", ["x"], {"x": 1})
    assert fields.get("errors") in (None, False, 0, "", [], {})
    assert FAILED not in str(fields.get("message"))


def assert_said_no(reply: Behaviour) -> None:
    """A refusal by HTTP, by the code or by a flag, and not a word of success."""
    assert isinstance(reply, Answer)
    assert 200 <= reply.status < 300 or 400 <= reply.status < 500
    if 400 <= reply.status < 500:
        return
    fields = fields_of(reply)
    is_refusal = re.fullmatch(r"4\d\d(\.0)?", str(fields.get("status_code")))
    is_failure = fields.get("success", True) in (False, 0, "", "0", "false", [], {})
    assert is_refusal or is_failure or fields.get("error")
    assert THANKS not in str(fields.get("message"))


def fields_of(reply: Answer) -> dict[str, Any]:
    """The body as JSON, which it must be for any of this."""
    try:
        text = reply.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = reply.body.decode("windows-1251", "replace")
    fields = json.loads(text)
    assert isinstance(fields, dict)
    return fields
