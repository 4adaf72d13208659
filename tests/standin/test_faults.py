"""Each fault: what the caller sees, and what the ledger holds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from standin import StandIn
from standin.faults import KINDS
from tests.standin.caller import Caller, next_start, visit

HANGS = {"hang": 0, "hang_after_write": 1}
BREAKS = {"drop_before_reply": 0, "drop_after_write": 1, "cut": 1}
ANSWERS = {
    "status": (500, "", 0),
    "rate": (429, '{"message":"Too many requests"}', 0),
    "captcha": (200, "<html>", 0),
    "write_then_500": (500, "", 1),
    "garbage": (200, "\x00", 1),
    "slot_just_taken": (200, '{"status_code":409', 0),
    "drip": (200, '{"status_code":200', 1),
}


@pytest.mark.parametrize(("kind", "sees"), ANSWERS.items())
def test_a_fault_that_answers(caller, crm, kind, sees):
    crm.fail("add", kind, pause=0.0001)

    reply = caller.post("add", **visit(next_start(crm)))

    status, beginning, booked = sees
    assert reply.status_code == status
    assert reply.text.startswith(beginning)
    assert (len(crm.ledger), crm.count("add")) == (booked, 1)


@pytest.mark.parametrize(("kind", "booked"), BREAKS.items())
def test_a_fault_that_breaks_the_connection(caller, crm, kind, booked):
    crm.fail("add", kind)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.post("add", **visit(next_start(crm)))
    assert len(crm.ledger) == booked


@pytest.mark.parametrize("end", ["recover", "stop"])
@pytest.mark.parametrize(("kind", "booked"), [*HANGS.items(), ("latency", 0)])
def test_a_call_hangs_until_the_faults_are_lifted_or_the_server_stops(crm, kind, booked, end):
    if kind == "latency":
        crm.switch(latency=60)
        end = "stop"
    else:
        crm.fail("add", kind)

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(Caller(crm).post, "add", **visit(next_start(crm)))
        crm.wait_for("add")
        assert not call.done()
        getattr(crm, end)()
        with pytest.raises(requests.ConnectionError):
            call.result(timeout=4)

    assert len(crm.ledger) == booked


def test_every_kind_is_here():
    assert HANGS.keys() | BREAKS.keys() | ANSWERS.keys() == KINDS.keys()


def test_a_fault_answers_as_it_is_told(caller, crm):
    crm.fail("add", "status", status=503, headers={"Retry-After": "60"}, body="later", times=1)
    crm.fail("add", "rate", retry_after="45")

    first, second = caller.post("add"), caller.post("add")

    assert (first.status_code, first.headers["Retry-After"], first.text) == (503, "60", "later")
    assert second.headers["Retry-After"] == "45"


def test_a_drip_takes_a_pause_for_each_byte(caller, crm):
    crm.fail("getReadyFlats", "drip", pause=0.0002)
    started = time.monotonic()

    caller.answer("getReadyFlats", category="comm")

    assert time.monotonic() - started >= 0.1  # more than 500 bytes


def test_faults_hit_their_own_method_in_order_and_as_often_as_told(caller, crm):
    crm.fail("getReadyFlats", "status", status=502, times=1)
    crm.fail("getReadyFlats", "status", status=504, times=2)

    assert caller.free_times(next_start(crm)[:10])
    statuses = [caller.post("getReadyFlats").status_code for _ in range(4)]
    assert statuses == [502, 504, 504, 200]


def test_chance_is_repeatable():
    def statuses(seed: int) -> list[int]:
        with StandIn() as crm:
            crm.fail("getReadyFlats", "status", probability=0.5, seed=seed)
            caller = Caller(crm)
            return [caller.post("getReadyFlats").status_code for _ in range(30)]

    assert statuses(1) == statuses(1) != statuses(2)
    assert set(statuses(1)) == {200, 500}
