"""Every case through the client and a real socket."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from booking.crm import CRMClient, CRMConfig, CRMError, CRMMisconfigured, FreeTimes, ReadyFlats
from tests.crm_cases import (
    ADD_CASES,
    CLOSED,
    DAY,
    FREE_TIMES_CASES,
    READY_FLATS_CASES,
    UNTRUSTED,
    ZONE,
    AddCase,
    Fails,
    Houses,
    ReadCase,
    Times,
)
from tests.wire import Wire, closed_port


@pytest.fixture(scope="module")
def untrusted() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def numbered(case: ReadCase | AddCase) -> str:
    return case.number


@pytest.mark.parametrize("case", READY_FLATS_CASES, ids=numbered)
def test_ready_flats(case: ReadCase, untrusted: ssl.SSLContext) -> None:
    with serving(case, untrusted) as (wire, client):
        if isinstance(case.expected, Fails):
            assert_fails(case.expected, lambda: client.ready_flats(case.category))
        else:
            assert_houses(case.expected, client.ready_flats(case.category))

    assert_requests(case, wire)


@pytest.mark.parametrize("case", FREE_TIMES_CASES, ids=numbered)
def test_free_times(case: ReadCase, untrusted: ssl.SSLContext) -> None:
    with serving(case, untrusted) as (wire, client):
        if isinstance(case.expected, Fails):
            assert_fails(case.expected, lambda: client.free_times(case.house_id, DAY, ZONE))
        else:
            assert_times(case.expected, client.free_times(case.house_id, DAY, ZONE))

    assert_requests(case, wire)


@pytest.mark.parametrize("case", ADD_CASES, ids=numbered)
def test_add(case: AddCase, untrusted: ssl.SSLContext) -> None:
    with serving(case, untrusted) as (wire, client):
        reply = client.add(case.visit)

    assert (reply.outcome, reply.reason) == (case.expected.outcome, case.expected.reason)
    assert reply.reference == case.expected.reference
    assert case.expected.tells in f"{reply.message} {reply.remarks}"
    assert len(reply.message) <= 300
    assert wire.count("add") == case.requests()
    for fragment in case.sends:
        assert fragment in wire.received[0].raw


def test_no_case_is_missing() -> None:
    cases = (*READY_FLATS_CASES, *FREE_TIMES_CASES, *ADD_CASES)
    told = {int(found[1]) for case in cases if (found := re.match(r"C(\d+)", case.number))}

    assert told == {*range(1, 53), *range(60, 88), *range(90, 129)}
    assert len({case.number for case in cases}) == len(cases)


@contextmanager
def serving(
    case: ReadCase | AddCase, untrusted: ssl.SSLContext
) -> Iterator[tuple[Wire, CRMClient]]:
    served = case.served if isinstance(case.served, tuple) else filter(None, [case.served])
    with Wire(*served, tls=untrusted if case.url == UNTRUSTED else None) as wire:
        urls = {"": wire.url, UNTRUSTED: wire.url, CLOSED: f"http://127.0.0.1:{closed_port()}"}
        yield (
            wire,
            CRMClient(
                CRMConfig(
                    base_url=urls.get(case.url, case.url),
                    domain="вашсайт.рф",
                    secret="example-secret",
                    method=case.method if isinstance(case, ReadCase) else "POST",
                    connect_timeout=2.0,
                    read_timeout=case.patience,
                )
            ),
        )


def assert_houses(expected: object, found: ReadyFlats) -> None:
    assert isinstance(expected, Houses)
    listed = tuple(
        (house.id, house.title, tuple(flat.number for flat in house.flats))
        for house in found.houses
    )
    assert listed == expected.houses
    assert bool(found.remarks) == expected.is_odd


def assert_times(expected: object, found: FreeTimes) -> None:
    assert isinstance(expected, Times)
    assert tuple(f"{start:%H:%M}" for start in found.times) == expected.times
    assert bool(found.remarks) == expected.is_odd


def assert_fails(expected: Fails, ask: object) -> None:
    with pytest.raises(CRMError) as failure:
        ask()  # type: ignore[operator]
    error = failure.value
    hints = error.hints if isinstance(error, CRMMisconfigured) else ()
    assert isinstance(error, expected.error)
    assert expected.tells in f"{error} {hints}"
    assert "<" not in str(error)
    if expected.retry_after:
        least, most = expected.retry_after
        assert least <= error.retry_after <= most  # type: ignore[attr-defined]


def assert_requests(case: ReadCase, wire: Wire) -> None:
    assert len(wire.received) in case.requests
    for fragment in case.sends:
        assert fragment in wire.received[0].raw
