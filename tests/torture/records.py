"""Reads the durable records: the journal by `dumpdata`, the ledger's file, the stand-in's log."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.processes import Site, StandInProcess
from tests.torture.judge import Row, Visit

WHOLE = {"house_id", "category", "flat_num", "transfer_date", "phone"}
TO_THE_MINUTE = len("2026-12-31T09:30")


def journal(site: Site) -> list[Row]:
    dump = json.loads(site.manage("dumpdata", "booking.booking", "booking.bookingevent"))
    trails: defaultdict[int, list[str]] = defaultdict(list)
    for item in dump:
        if item["model"] == "booking.bookingevent":
            trails[item["fields"]["booking"]].append(item["fields"]["kind"])
    bookings = [item for item in dump if item["model"] == "booking.booking"]
    return [_row(item["fields"], trails[item["pk"]]) for item in bookings]


def _row(fields: dict[str, Any], trail: list[str]) -> Row:
    start = datetime.fromisoformat(fields["starts_at"]).astimezone(ZoneInfo(fields["time_zone"]))
    visit = Visit(
        house_id=fields["house_id"],
        category=fields["category"],
        flat=fields["flat"],
        start=f"{start:%Y-%m-%dT%H:%M}",
        phone=fields["phone"],
    )
    return Row(
        key=fields["key"],
        visit=visit,
        outcome=fields["outcome"],
        trail=trail,
        is_over=bool(fields["moved_at"] or fields["called_off_at"]),
    )


def ledger(path: Path) -> list[Visit]:
    return [_entry(entry) for entry in _ledger(path)]


def replaced(path: Path) -> list[Visit]:
    """The entries that a later one has moved."""
    entries = _ledger(path)
    gone = {entry["replaces"] for entry in entries}
    return [_entry(entry) for entry in entries if entry["sequence"] in gone]


def _ledger(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _entry(entry: dict[str, Any]) -> Visit:
    return Visit(
        house_id=entry["house_id"],
        category=entry["category"],
        flat=entry["number"],
        start=entry["transfer_date"],
        phone=entry["phone"],
    )


def calls(standin: StandInProcess) -> list[Visit]:
    """Every `add` that reached the stand-in whole, by what the redacted log keeps of it.

    A worker that is killed in the middle of a request leaves one without all parameters, which
    books nothing.
    """
    log = standin.requests()
    found = [record["params"] for record in log["requests"] if record["method"] == "add"]
    # The log keeps the last ten thousand requests only: fewer than were counted would be no proof.
    assert len(found) == log["counts"]["add"]
    return [_call(params) for params in found if params.keys() >= WHOLE]


def _call(params: dict[str, str]) -> Visit:
    return Visit(
        house_id=params["house_id"],
        category=params["category"],
        flat=params["flat_num"],
        start=params["transfer_date"][:TO_THE_MINUTE],
        phone=params["phone"][-2:],
    )
