"""The ledger: evidence that outlives the process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from standin import StandIn
from tests.standin.caller import HOUSE, Caller, next_start, visit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_every_confirmed_booking_is_in_the_file_whatever_goes_wrong(path):
    confirmed = set()
    with StandIn(capacity=100, ledger=path) as crm:
        for kind in ("status", "drop_before_reply", "drop_after_write", "write_then_500", "cut"):
            crm.fail("add", kind, probability=0.15, seed=len(kind))
        start = next_start(crm)
        for flat in (f"1.8-{floor}-1" for floor in range(2, 17)):
            try:
                reply = Caller(crm).post("add", **visit(start, flat_num=flat))
            except requests.RequestException:
                continue
            if reply.status_code == 200:
                confirmed.add(flat)

    held = {json.loads(line)["number"] for line in path.read_text().splitlines()}
    assert set() < confirmed < held
    assert len(held) < 15


def test_the_bookings_are_there_after_a_restart(path):
    with StandIn(second_add="moves", ledger=path) as crm:
        moved, taken = (start.isoformat() for start in crm.free_starts(HOUSE)[:2])
        Caller(crm).book(moved)
        Caller(crm).book(taken)
    with StandIn(ledger=path) as crm:
        assert Caller(crm).book(taken, flat_num="1.8-12-2")["status_code"] == 409
        assert Caller(crm).book(moved)["message"] == "Вы уже записаны"
        assert next_start(crm) == moved


@pytest.mark.parametrize("whole_lines", [0, 1])
def test_a_line_that_a_kill_cut_short_is_dropped(path, whole_lines):
    with StandIn(ledger=path) as crm:
        Caller(crm).book(next_start(crm))
    whole = path.read_bytes()
    path.write_bytes(whole * whole_lines + whole[: len(whole) // 2])

    with StandIn(ledger=path) as crm:
        assert len(crm.ledger) == whole_lines

    assert path.read_bytes() == whole * whole_lines
