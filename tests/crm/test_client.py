"""What the client sends, how long it waits, and what it lets out."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import trustme

from booking.crm import (
    AddOutcome,
    CRMClient,
    CRMConfig,
    CRMMisconfigured,
    CRMUnavailable,
    CRMUnreadable,
    Reason,
)
from tests.crm_cases import C01, C90, DAY, JSON, VISIT, ZONE, houses, ok, said, times
from tests.wire import Answer, Behaviour, Bytes, Drip, Hang, HangUp, Line, Wire

DEADLINE = 0.5
# What may pass between the deadline and the answer on a busy machine.
GRACE = 0.4
ENDLESS = b"x" * 10_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def client_of(wire: Wire, **changes: Any) -> CRMClient:
    config = CRMConfig(base_url=wire.url, domain="вашсайт.рф", secret="example-secret")
    return CRMClient(replace(config, **changes))


# What is sent


def test_a_booking_is_one_form_with_every_plus_escaped() -> None:
    with Wire(ok(C90)) as wire:
        client_of(wire).add(VISIT)

    (received,) = wire.received
    time = received.params["time"]
    token = md5(f"вашсайт.рф{time}example-secret".encode()).hexdigest()
    assert received.head.startswith("POST /estate/transfer/add/ HTTP/1.1\r\n")
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.body.decode() == (
        f"time={time}&domain=%D0%B2%D0%B0%D1%88%D1%81%D0%B0%D0%B9%D1%82.%D1%80%D1%84&token={token}"
        "&transfer_date=2020-06-11T09%3A30%3A00%2B05%3A00&house_id=123&flat_num=1.8-12-1"
        "&category=flat&phone=%2B79001234567"
    )
    assert abs(int(time) - datetime.now(UTC).timestamp()) < 5


@pytest.mark.parametrize("number", ["К-1.4-7-1", " 12 ", "a+b&c=d%20", "М-3/2", "№ 5", "&nbsp;7"])
def test_ids_and_numbers_go_back_byte_for_byte(number: str) -> None:
    with Wire(ok(C90)) as wire:
        client_of(wire).add(replace(VISIT, flat=number, house_id=number))

    params = wire.received[0].params
    assert (params["flat_num"], params["house_id"]) == (number, number)


@pytest.mark.parametrize(
    ("zone", "moment", "sent"),
    [
        ("Asia/Yekaterinburg", datetime(2026, 12, 1, 9, 5), "2026-12-01T09:05:00+05:00"),
        ("Europe/Astrakhan", datetime(2026, 12, 1, 16, 30), "2026-12-01T16:30:00+04:00"),
        ("Europe/Berlin", datetime(2026, 7, 1, 9, 0), "2026-07-01T09:00:00+02:00"),
        ("Europe/Berlin", datetime(2026, 12, 1, 9, 0), "2026-12-01T09:00:00+01:00"),
        ("UTC", datetime(2026, 12, 1, 9, 0), "2026-12-01T09:00:00+00:00"),
    ],
)
def test_a_visit_is_sent_in_wall_time_with_the_offset_of_its_day(
    zone: str, moment: datetime, sent: str
) -> None:
    with Wire(ok(C90)) as wire:
        client_of(wire).add(replace(VISIT, starts_at=moment.replace(tzinfo=ZoneInfo(zone))))

    assert wire.received[0].params["transfer_date"] == sent


@pytest.mark.parametrize(
    ("day", "sent"),
    [
        # The clocks change at two in the morning: the offset is that of midnight.
        (date(2026, 3, 29), "2026-03-29T00:00:00+01:00"),
        (date(2026, 3, 30), "2026-03-30T00:00:00+02:00"),
        (date(2026, 10, 25), "2026-10-25T00:00:00+02:00"),
    ],
)
def test_a_day_is_asked_for_by_its_midnight(day: date, sent: str) -> None:
    with Wire(times("[]")) as wire:
        client_of(wire).free_times("123", day, ZoneInfo("Europe/Berlin"))

    assert wire.received[0].params["transfer_date"] == sent


def test_by_get_everything_stands_in_the_query_and_there_is_no_body() -> None:
    with Wire(times("[]")) as wire:
        client_of(wire, method="GET").free_times("123", DAY, ZONE)

    (received,) = wire.received
    assert received.verb == "GET"
    assert "&transfer_date=2020-06-11T00%3A00%3A00%2B05%3A00&house_id=123" in received.target
    assert received.body == b""
    assert "content-length" not in received.headers


def test_a_booking_is_posted_even_if_the_reads_are_not() -> None:
    with Wire(ok(C90)) as wire:
        client_of(wire, method="GET").add(VISIT)

    assert wire.received[0].verb == "POST"


def test_a_category_that_is_not_asked_for_is_not_sent() -> None:
    with Wire(ok(C01)) as wire:
        client_of(wire).ready_flats("")

    assert set(wire.received[0].params) == {"time", "domain", "token"}


def test_the_second_try_carries_a_signature_of_its_own() -> None:
    with Wire(said(503, "", (("Retry-After", "1"),)), ok(C01)) as wire:
        client_of(wire).ready_flats("flat")

    first, second = (received.params for received in wire.received)
    assert int(second["time"]) > int(first["time"])
    for params in (first, second):
        signed = f"{params['domain']}{params['time']}example-secret".encode()
        assert params["token"] == md5(signed).hexdigest()


def test_a_crm_that_wants_get_is_asked_by_get_from_then_on() -> None:
    with Wire(said(405, "", (("Allow", "GET"),)), ok(C01)) as wire:
        client = client_of(wire)
        client.ready_flats("flat")
        client.ready_flats("garage")

    assert [received.verb for received in wire.received] == ["POST", "GET", "GET"]


def test_a_crm_that_was_only_slow_is_still_asked_by_post() -> None:
    with Wire(said(503, "", ()), ok(C01)) as wire:
        client = client_of(wire)
        client.ready_flats("flat")
        client.ready_flats("garage")

    assert [received.verb for received in wire.received] == ["POST", "POST", "POST"]


def test_an_address_that_answers_neither_method_is_still_asked_by_post() -> None:
    with Wire(said(404, "not here", ())) as wire:
        client = client_of(wire)
        for _ in range(2):
            with pytest.raises(CRMMisconfigured):
                client.ready_flats("flat")

    assert [received.verb for received in wire.received] == ["POST", "GET", "POST", "GET"]


def test_nothing_of_the_environment_has_a_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Wire(ok(C01)) as wire:
        client_of(wire).ready_flats("flat")

    assert "authorization" not in wire.received[0].headers


def test_no_cookie_is_kept() -> None:
    with Wire(ok(C01, (*JSON, ("Set-Cookie", "session=1; Path=/")))) as wire:
        client = client_of(wire)
        client.ready_flats("flat")
        client.ready_flats("flat")

    assert "cookie" not in wire.received[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_nor_its_query_repeated(status: int) -> None:
    with Wire(ok(C01)) as other:
        target = f"{other.url}/estate/?token=0123456789abcdef0123456789abcdef"
        with Wire(said(status, "", (("Location", target),))) as wire:
            with pytest.raises(CRMMisconfigured) as failure:
                client_of(wire).ready_flats("flat")
            reply = client_of(wire).add(VISIT)

    assert other.received == []
    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.REDIRECTED)
    told = f"{failure.value.hints} {reply.remarks}"
    assert f"{other.url}/estate/" in told
    assert "token" not in told


# How long it waits

STALLING = [
    pytest.param(Hang(), id="never a byte"),
    pytest.param(Drip(ENDLESS), id="a status line that never ends"),
    pytest.param(Drip(ENDLESS, at_once=HEAD + b"X-Slow: "), id="a header that never ends"),
    pytest.param(Drip(b"A: b\r\n" * 1000, 0.01, HEAD), id="headers that never end"),
    pytest.param(Drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 99, 0.01), id="continue, and no end"),
    pytest.param(
        Drip(ENDLESS, at_once=HEAD + b'Content-Length: 9999\r\n\r\n{"status_code":200,'),
        id="a body that never ends",
    ),
    pytest.param(
        Drip(b"1\r\nx\r\n" * 1000, 0.01, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        id="chunks that never end",
    ),
    pytest.param(Drip(ENDLESS, at_once=HEAD + b"\r\n" + C90.encode()), id="no length and no end"),
]


@pytest.mark.parametrize("stalling", STALLING)
def test_a_read_never_outlasts_its_deadline(stalling: Behaviour) -> None:
    with Wire(stalling) as wire:
        client = client_of(wire, read_timeout=DEADLINE)

        assert seconds_until_failure(client) < DEADLINE + GRACE


@pytest.mark.parametrize("stalling", STALLING)
def test_a_booking_never_outlasts_its_deadline_and_is_then_in_doubt(stalling: Behaviour) -> None:
    with Wire(stalling) as wire:
        reply = client_of(wire, read_timeout=DEADLINE).add(VISIT)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.NO_ANSWER)
    assert DEADLINE - 0.1 < reply.seconds < DEADLINE + GRACE
    assert wire.count("add") == 1


def test_the_second_try_gets_only_what_the_first_has_left() -> None:
    with Wire(said(502, ""), Hang()) as wire:
        client = client_of(wire, read_timeout=DEADLINE)

        assert seconds_until_failure(client) < DEADLINE + GRACE

    assert len(wire.received) == 2


def test_an_answer_that_drips_but_ends_in_time_is_taken() -> None:
    answer = ok(C90).raw
    with Wire(Drip(answer, every=0.001)) as wire:
        reply = client_of(wire).add(VISIT)

    assert reply.outcome is AddOutcome.CONFIRMED


def test_a_host_that_never_accepts_costs_the_connect_timeout(deaf_port: int) -> None:
    with Wire(ok(C01)) as wire:
        client = client_of(
            wire,
            base_url=f"http://127.0.0.1:{deaf_port}",
            connect_timeout=0.3,
            read_timeout=0.4,
        )

        reply = client.add(VISIT)

    assert (reply.outcome, reply.reason) == (AddOutcome.NOT_SENT, Reason.UNREACHABLE)
    assert reply.seconds < 0.4 + GRACE


def test_a_handshake_that_never_comes_is_not_sent() -> None:
    # To a server without TLS the client's greeting is the start of a request.
    with Wire(ok(C90)) as wire:
        client = client_of(
            wire,
            base_url=wire.url.replace("http:", "https:"),
            connect_timeout=0.3,
            read_timeout=0.4,
        )

        reply = client.add(VISIT)

    assert (reply.outcome, reply.reason) == (AddOutcome.NOT_SENT, Reason.UNREACHABLE)
    assert reply.seconds < 0.4 + GRACE


def test_a_pause_that_is_too_long_is_passed_on_instead_of_kept() -> None:
    busy = said(503, "", (("Retry-After", "3"),))
    with Wire(busy) as wire, pytest.raises(CRMUnavailable) as failure:
        client_of(wire).ready_flats("flat")

    assert failure.value.retry_after == 3
    assert len(wire.received) == 1


# How much it takes


class Flood:
    """A body without an end, as fast as it goes."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.head = head
        self.piece = piece

    def serve(self, line: Line) -> None:
        line.send(self.head)
        while not line.wait(0):
            line.send(self.piece)
        line.hang_up()


def test_a_body_without_end_is_cut_off() -> None:
    flood = Flood(HEAD + b"\r\n", b"x" * 65536)
    with Wire(flood) as wire:
        with pytest.raises(CRMUnreadable, match="too long"):
            client_of(wire).ready_flats("flat")
        reply = client_of(wire).add(VISIT)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.UNREADABLE)


def test_the_length_is_counted_after_decoding() -> None:
    packed = gzip.compress(b'{"status_code":200,"data":[],"message":"' + b"x" * 9_000_000 + b'"}')
    with Wire(ok(packed, (*JSON, ("Content-Encoding", "gzip")))) as wire:
        with pytest.raises(CRMUnreadable, match="too long"):
            client_of(wire).ready_flats("flat")
        reply = client_of(wire).add(VISIT)

    assert len(packed) < 20_000
    assert reply.outcome is AddOutcome.IN_DOUBT


def test_a_long_list_of_flats_is_taken_compressed() -> None:
    numbers = ",".join(f'"{number}"' for number in range(20_000))
    body = houses(f'[{{"id":"1","title":"Дом","flats":[{numbers}]}}]').body
    with Wire(ok(gzip.compress(body), (*JSON, ("Content-Encoding", "gzip")))) as wire:
        found = client_of(wire).ready_flats("flat")

    assert len(found.houses[0].flats) == 20_000


# Connections


class AnswerAndLeave:
    """A server that closes the connection it promised to keep."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def serve(self, line: Line) -> None:
        self.answer.serve(line)
        line.hang_up()


def test_reads_of_one_thread_share_a_connection() -> None:
    with Wire(ok(C01)) as wire:
        client = client_of(wire)
        for _ in range(3):
            client.ready_flats("flat")

    assert [received.connection for received in wire.received] == [1, 1, 1]


def test_each_thread_has_a_connection_of_its_own() -> None:
    with Wire(ok(C01)) as wire:
        client = client_of(wire)
        threads = [threading.Thread(target=client.ready_flats, args=["flat"]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wire.connections == 3


def test_a_connection_closed_meanwhile_does_not_fail_a_read() -> None:
    with Wire(AnswerAndLeave(ok(C01))) as wire:
        client = client_of(wire)
        for _ in range(3):
            client.ready_flats("flat")

    assert wire.connections >= 3


def test_every_booking_has_a_connection_of_its_own() -> None:
    with Wire(ok(C90)) as wire:
        wire.serve(ok(C01), on="getReadyFlats")
        client = client_of(wire)
        client.ready_flats("flat")
        client.add(VISIT)
        client.add(VISIT)
        client.ready_flats("flat")

    assert [received.connection for received in wire.received] == [1, 2, 3, 1]


def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    late = Drip(ok(C01).raw, every=0.01)
    with Wire(late, times('["08:30"]')) as wire:
        client = client_of(wire, read_timeout=DEADLINE)
        with pytest.raises(CRMUnavailable):
            client.ready_flats("flat")

        found = client.free_times("123", DAY, ZONE)

    assert len(found.times) == 1
    assert [received.connection for received in wire.received] == [1, 2]


def test_a_booking_is_tried_again_only_if_nothing_was_sent(
    trusted: ssl.SSLContext,
) -> None:
    with Wire(ok(C90), tls=trusted, turns_away=1) as wire:
        reply = client_of(wire).add(VISIT)

    assert reply.outcome is AddOutcome.CONFIRMED
    assert wire.connections == 2
    assert wire.count("add") == 1


@pytest.mark.parametrize(
    "leaving", [HangUp(), Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{")]
)
def test_a_booking_that_was_sent_is_never_tried_again(leaving: Behaviour) -> None:
    with Wire(leaving, ok(C90)) as wire:
        reply = client_of(wire).add(VISIT)

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.NO_ANSWER)
    assert wire.count("add") == 1


# TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """A certificate authority that this process trusts."""
    authority = trustme.CA()
    bundle = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(bundle))
    return authority


@pytest.fixture
def trusted(authority: trustme.CA) -> ssl.SSLContext:
    return certified(authority.issue_cert("127.0.0.1"))


def certified(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_over_tls_the_deadline_holds_too(trusted: ssl.SSLContext) -> None:
    with Wire(Drip(ENDLESS, at_once=HEAD), ok(C01), tls=trusted) as wire:
        reply = client_of(wire, read_timeout=DEADLINE).add(VISIT)
        found = client_of(wire).ready_flats("flat")

    assert (reply.outcome, reply.reason) == (AddOutcome.IN_DOUBT, Reason.NO_ANSWER)
    assert reply.seconds < DEADLINE + GRACE
    assert len(found.houses) == 2


def test_a_certificate_that_ran_out_or_is_of_another_host_stops_everything(
    authority: trustme.CA,
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for certificate in (
        authority.issue_cert("127.0.0.1", not_after=yesterday),
        authority.issue_cert("crm.example.test"),
    ):
        with Wire(ok(C90), tls=certified(certificate)) as wire:
            with pytest.raises(CRMMisconfigured, match="certificate"):
                client_of(wire).ready_flats("flat")
            reply = client_of(wire).add(VISIT)

        assert (reply.outcome, reply.reason) == (AddOutcome.NOT_SENT, Reason.UNREACHABLE)
        assert wire.received == []


# Helpers


def seconds_until_failure(client: CRMClient) -> float:
    began = monotonic()
    with pytest.raises(CRMUnavailable):
        client.ready_flats("flat")
    return monotonic() - began


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that the next one waits for ever."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting: list[socket.socket] = []
        while len(waiting) < 10:
            sock = socket.socket()
            sock.settimeout(0.1)
            waiting.append(sock)
            try:
                sock.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener.getsockname()[1]
        for sock in waiting:
            sock.close()
