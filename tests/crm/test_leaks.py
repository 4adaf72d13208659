"""No failure lets out the secret, a token or a phone, however deep one looks."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator

import pytest

from booking.crm import CRMClient, CRMConfig, CRMError, CRMMisconfigured
from tests.crm_cases import C01, DAY, JSON, VISIT, ZONE, ok, said
from tests.wire import Answer, Behaviour, Bytes, Hang, HangUp, Reset, Wire, closed_port

SECRET = "canary-in-the-mine"
PHONE = "+79001234567"
PHONE_TAILS = ("9001234567", "900 123-45-67", "(900) 123-45-67", "123-45-67")
ECHO = (
    f"{SECRET} 0123456789abcdef0123456789abcdef {PHONE} 8 (900) 123-45-67 +7 900 123-45-67"
    " 9001234567"
)
# Headers that urllib3 cannot read: it then logs the whole address at WARNING.
BAD_HEADERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n : nameless\r\nbroken line\r\nA: b\r\n\r\n{}"
)

FAILING = [
    pytest.param(said(401, f'{{"status_code":401,"message":"{ECHO}"}}'), id="401"),
    pytest.param(said(404, ECHO, ()), id="404"),
    pytest.param(said(502, ECHO), id="502"),
    pytest.param(said(302, "", (("Location", f"/{SECRET}/{PHONE}?{SECRET}"),)), id="redirect"),
    pytest.param(ok(f'{{"status_code":400,"message":"{ECHO}"}}'), id="declined"),
    pytest.param(ok(f'{{"status_code":400,"errors":{{"{ECHO}":1}}}}'), id="errors"),
    pytest.param(ok(f'{{"error":"{ECHO}"}}'), id="flag"),
    pytest.param(ok(f'{{"status_code":200,"message":"{ECHO}"}}'), id="no data"),
    pytest.param(ok(f'{{"status_code":200,"data":{{"id":"{ECHO}"}}}}'), id="reference"),
    pytest.param(ok(ECHO), id="no JSON"),
    pytest.param(ok(""), id="empty"),
    pytest.param(ok(C01, (*JSON, ("Content-Encoding", "gzip"))), id="garbled"),
    pytest.param(Answer(200, JSON, b"{", length=9), id="cut"),
    pytest.param(Bytes(b"\x00\xff" + ECHO.encode() + b"\r\n\r\n"), id="no HTTP"),
    pytest.param(Bytes(BAD_HEADERS), id="bad headers"),
    pytest.param(Reset(), id="reset"),
    pytest.param(HangUp(), id="hung up"),
    pytest.param(Hang(), id="silent"),
    pytest.param(None, id="not there"),
]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("behaviour", FAILING)
def test_no_failure_tells_a_secret(
    behaviour: Behaviour | None, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Wire(*filter(None, [behaviour])) as wire:
        url = wire.url if behaviour else f"http://127.0.0.1:{closed_port()}"
        client = client_at(url, method)

        of_reads = [*failures(client)]
        of_booking = [repr(client.add(VISIT))]
        tokens = [received.params["token"] for received in wire.received]

    logged = [f"{record.getMessage()} {record.exc_info}" for record in caplog.records]
    assert all(tokens)
    for canary in (SECRET, *tokens, "0123456789abcdef"):
        assert not [text for text in (*of_reads, *of_booking, *logged) if canary in text]
    # The reads know no phone, so they could not tell one from another number.
    for canary in PHONE_TAILS:
        assert not [text for text in (*of_booking, *logged) if canary in text]


def test_configuration_and_visit_do_not_show_what_is_secret() -> None:
    config = CRMConfig(base_url="https://crm.test", domain="example.test", secret=SECRET)

    assert SECRET not in f"{config!r} {config} {CRMClient(config)!r}"
    assert PHONE not in f"{VISIT!r} {VISIT}"


def test_errors_can_be_remembered() -> None:
    with Wire(said(401, '{"status_code":401,"message":"Неверный токен"}')) as wire:
        with pytest.raises(CRMMisconfigured) as failure:
            client_at(wire.url, "POST").ready_flats("flat")
        copy = pickle.loads(pickle.dumps(failure.value))

    assert (str(copy), copy.hints, copy.message) == (
        str(failure.value),
        failure.value.hints,
        failure.value.message,
    )


def client_at(url: str, method: str) -> CRMClient:
    return CRMClient(
        CRMConfig(
            base_url=url, domain="example.test", secret=SECRET, method=method, read_timeout=0.4
        )
    )


def failures(client: CRMClient) -> Iterator[str]:
    """All that the errors of both reads tell to whoever looks."""
    for ask in (lambda: client.ready_flats("flat"), lambda: client.free_times("1", DAY, ZONE)):
        with pytest.raises(CRMError) as failure:
            ask()
        yield "".join(traceback.format_exception(failure.value))
        for error in chain(failure.value):
            yield f"{error} {error!r} {error.args} {vars(error)}"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)
