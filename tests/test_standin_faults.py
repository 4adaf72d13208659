"""Each fault of the stand-in: what the caller sees, and what the ledger holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from standin import Fault, StandIn
from tests.standin_caller import HOUSE, Caller, next_start, wish


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn() as crm:
        yield crm


@pytest.fixture
def caller(crm) -> Caller:
    return Caller(crm)


def test_a_status_has_no_effect(caller, crm):
    crm.fail("add", "status", status=503, headers={"Retry-After": "60"}, body="later")

    reply = caller.post("add", **wish(next_start(crm)))

    assert (reply.status_code, reply.headers["Retry-After"], reply.text) == (503, "60", "later")
    assert crm.ledger == []


def test_a_status_can_lie_about_its_length(caller, crm):
    crm.fail("getReadyFlats", "status", status=200, headers={"Content-Length": "99"}, body="{")

    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{crm.url}/estate/transfer/getReadyFlats/", data=caller.signed(), timeout=0.2
        )


@pytest.mark.parametrize("retry_after", ["30", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_rate_limit_says_when_to_come_again(caller, crm, retry_after):
    crm.fail("getReadyFlats", "rate", retry_after=retry_after)

    reply = caller.post("getReadyFlats")

    assert (reply.status_code, reply.headers["Retry-After"]) == (429, retry_after)
    assert reply.json() == {"message": "Too many requests"}


def test_a_captcha_is_a_page(caller, crm):
    crm.fail("getReadyFlats", "captcha")

    reply = caller.post("getReadyFlats")

    assert reply.status_code == 200
    assert reply.text.startswith("<html>")


@pytest.mark.parametrize(
    ("kind", "booked"),
    [("drop_before_reply", 0), ("drop_after_write", 1), ("cut", 1)],
)
def test_a_connection_that_breaks(caller, crm, kind, booked):
    crm.fail("add", kind)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.post("add", **wish(next_start(crm)))
    assert len(crm.ledger) == booked


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [("write_then_500", 500, b""), ("garbage", 200, b"\x00\xff{]garbage")],
)
def test_a_booking_that_is_taken_and_not_confirmed(caller, crm, kind, status, content):
    crm.fail("add", kind)

    reply = caller.post("add", **wish(next_start(crm)))

    assert (reply.status_code, reply.content) == (status, content)
    assert len(crm.ledger) == 1


@pytest.mark.parametrize(("kind", "booked"), [("hang", 0), ("hang_after_write", 1)])
def test_a_call_that_hangs_until_the_faults_are_lifted(caller, crm, kind, booked):
    crm.fail("add", kind, times=1)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.post, "add", **wish(next_start(crm)))
        crm.wait_for("add")
        assert not call.done()
        crm.recover()
        with pytest.raises(requests.ConnectionError):
            call.result(timeout=5)

    assert len(crm.ledger) == booked


def test_a_call_that_hangs_until_its_caller_gives_up(caller, crm):
    crm.fail("getReadyFlats", "hang")

    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{crm.url}/estate/transfer/getReadyFlats/", data=caller.signed(), timeout=0.1
        )


def test_a_call_that_hangs_does_not_hold_up_the_stop(caller, crm):
    crm.fail("add", "hang")

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.post, "add")
        crm.wait_for("add")
        crm.stop()
        with pytest.raises(requests.ConnectionError):
            call.result(timeout=5)


def test_latency_does_not_hold_up_the_stop(caller, crm):
    crm.switch(latency=60)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.post, "add")
        crm.wait_for("add")
        started = time.monotonic()
        crm.stop()
        assert time.monotonic() - started < 5
        with pytest.raises(requests.ConnectionError):
            call.result(timeout=5)


def test_a_drip_comes_whole_in_the_end(caller, crm):
    crm.fail("getReadyFlats", "drip", pause=0.0001)

    assert caller.answer("getReadyFlats", category="comm")["status_code"] == 200


def test_a_drip_takes_a_pause_for_each_byte(caller, crm):
    crm.fail("getReadyFlats", "drip", pause=0.001)
    url = f"{crm.url}/estate/transfer/getReadyFlats/"
    started = time.monotonic()

    reply = requests.post(url, data=caller.signed(category="comm"), timeout=5, stream=True)
    with reply:
        reply.raw.read(10)

    assert time.monotonic() - started >= 0.1  # the headers alone are more than 100 bytes


def test_a_slot_that_is_just_taken(caller, crm):
    start = next_start(crm)
    crm.fail("add", "slot_just_taken", times=1)

    envelope = caller.book(start)

    assert (envelope["status_code"], crm.ledger) == (409, [])
    assert start[11:16] not in caller.free_times(start[:10]).values()
    assert caller.book(next_start(crm))["status_code"] == 200


def test_a_fault_hits_as_often_as_it_was_told(caller, crm):
    crm.fail("getReadyFlats", "status", times=2)

    assert [caller.post("getReadyFlats").status_code for _ in range(4)] == [500, 500, 200, 200]


def test_the_fault_that_was_planned_first_hits_first(caller, crm):
    crm.fail("getReadyFlats", "status", status=502, times=1)
    crm.fail("getReadyFlats", "status", status=504, times=1)

    assert [caller.post("getReadyFlats").status_code for _ in range(3)] == [502, 504, 200]


def test_a_fault_hits_its_own_method_only(caller, crm):
    crm.fail("add", "hang")

    assert caller.free_times(next_start(crm)[:10])


def test_chance_is_repeatable():
    def statuses(seed: int) -> list[int]:
        with StandIn() as crm:
            crm.fail("getReadyFlats", "status", probability=0.5, seed=seed)
            caller = Caller(crm)
            return [caller.post("getReadyFlats").status_code for _ in range(30)]

    assert statuses(1) == statuses(1)
    assert statuses(1) != statuses(2)
    assert set(statuses(1)) == {200, 500}


def test_a_request_that_a_fault_hits_is_counted(caller, crm):
    crm.fail("add", "status")
    caller.post("add")

    assert crm.count("add") == 1


@pytest.mark.parametrize(
    "details",
    [
        {"method": "cancel", "kind": "hang"},
        {"method": "add", "kind": "flood"},
        {"method": "getFreeTimes", "kind": "slot_just_taken"},
        {"method": "add", "kind": "hang", "times": 0},
        {"method": "add", "kind": "hang", "probability": 1.1},
        {"method": "add", "kind": "status", "headers": "none"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(details):
    with pytest.raises(ValueError, match=r"method|kind|add|times|headers"):
        Fault(**details)


def test_faults_can_be_lifted(caller, crm):
    crm.fail("getFreeTimes", "status")
    crm.recover()

    assert caller.free_times(crm.free_starts(HOUSE)[0].date().isoformat())
