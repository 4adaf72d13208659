"""What the stand-in has taken: one place for each slot, and evidence that outlives it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import requests

from standin import ACCEPTED_PHONE, StandIn
from tests.standin_caller import HOUSE, Caller, next_start, wish


@pytest.mark.parametrize("flats", [1, 50])
def test_of_fifty_adds_at_once_one_gets_the_slot(flats):
    with StandIn() as crm:
        start = next_start(crm)
        barrier = Barrier(50)

        def add(number: int) -> int:
            flat = f"1.8-{2 + number // 4}-{1 + number % 4}" if flats > 1 else "1.8-2-1"
            barrier.wait()
            code: int = Caller(crm).book(start, flat_num=flat)["status_code"]
            return code

        with ThreadPoolExecutor(50) as pool:
            codes = list(pool.map(add, range(50)))

        assert codes.count(200) == 1
        assert len(crm.ledger) == 1
        assert crm.count("add") == 50


def test_whatever_goes_wrong_a_confirmed_booking_is_in_the_file(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with StandIn(capacity=100, ledger=path) as crm:
        for kind in ("status", "drop_before_reply", "drop_after_write", "write_then_500", "cut"):
            crm.fail("add", kind, probability=0.15, seed=len(kind))
        start = next_start(crm)

        def add(flat: str) -> str | None:
            try:
                reply = Caller(crm).post("add", **wish(start, flat_num=flat))
            except requests.RequestException:
                return None
            return flat if reply.status_code == 200 else None

        flats = [f"1.8-{floor}-{n}" for floor in range(2, 12) for n in range(1, 5)]
        with ThreadPoolExecutor(8) as pool:
            confirmed = {flat for flat in pool.map(add, flats) if flat}

    held = [json.loads(line)["number"] for line in path.read_text().splitlines()]
    assert 0 < len(confirmed) < len(held) < len(flats)
    assert confirmed < set(held)


def test_an_entry_is_in_the_file_before_the_reply(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with StandIn(ledger=path) as crm:
        start = next_start(crm)
        Caller(crm).book(start)

        entry = json.loads(path.read_text())

    assert entry | {"received_at": ""} == {
        "sequence": 1,
        "house_id": HOUSE,
        "number": "1.8-12-1",
        "category": "flat",
        "transfer_date": start[:16],
        "phone": ACCEPTED_PHONE,
        "received_at": "",
        "replaces": None,
    }


def test_the_bookings_are_there_after_a_restart(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with StandIn(ledger=path) as crm:
        start = next_start(crm)
        Caller(crm).book(start)
    with StandIn(ledger=path) as crm:
        assert Caller(crm).book(start, flat_num="1.8-12-2")["status_code"] == 409
        assert Caller(crm).book(next_start(crm))["message"] == "Вы уже записаны"
        assert [entry.sequence for entry in crm.ledger] == [1]


def test_a_booking_that_was_moved_is_moved_after_a_restart(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with StandIn(second_add="moves", ledger=path) as crm:
        starts = [start.isoformat() for start in crm.free_starts(HOUSE)[:2]]
        for start in starts:
            Caller(crm).book(start)
    with StandIn(ledger=path) as crm:
        assert next_start(crm) == starts[0]


@pytest.mark.parametrize("whole_lines", [0, 1])
def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path, whole_lines):
    path = _ledger_of_one_booking(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole * whole_lines + whole[: len(whole) // 2])

    with StandIn(ledger=path) as crm:
        assert len(crm.ledger) == whole_lines

    assert path.read_bytes() == whole * whole_lines


def test_a_reset_empties_the_file(tmp_path):
    path = _ledger_of_one_booking(tmp_path)
    with StandIn(ledger=path) as crm:
        crm.reset()

    assert path.read_bytes() == b""


def _ledger_of_one_booking(folder: Path) -> Path:
    path = folder / "ledger.jsonl"
    with StandIn(ledger=path) as crm:
        Caller(crm).book(next_start(crm))
    return path
