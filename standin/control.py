"""The control path beside the API: switches, faults, the log and the ledger over HTTP.

    GET    /_stand-in/switches   all switches
    POST   /_stand-in/switches   {"busy": 0} and the like: those to change
    GET    /_stand-in/faults     the faults in force
    POST   /_stand-in/faults     {"method": "add", "kind": "hang", "times": 1}: one more
    DELETE /_stand-in/faults     no faults any more; hanging calls are let go
    GET    /_stand-in/requests   the redacted log, and the counts by method
    GET    /_stand-in/ledger     the bookings taken
    POST   /_stand-in/reset      as at the start, the ledger's file included

What is posted is a JSON object with its content type, so that no page in a browser can post it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from standin.faults import Fault
from standin.http_types import Request, Response
from standin.state import Office
from standin.switches import METHODS

PREFIX = "/_stand-in/"

Action = Callable[[Office, dict[str, Any]], object]


def answer(office: Office, request: Request) -> Response:
    action = _ACTIONS.get((request.verb, request.path.removeprefix(PREFIX)))
    if action is None:
        return _json(404, {"error": "no such control path"})
    try:
        return _json(200, action(office, _posted(request)))
    except (ValueError, TypeError) as exc:
        return _json(400, {"error": str(exc)})


def _posted(request: Request) -> dict[str, Any]:
    if request.verb != "POST":
        return {}
    if request.content_type != "application/json":
        raise ValueError("post application/json")
    posted = json.loads(request.body or b"{}")
    if not isinstance(posted, dict):
        raise ValueError("post a JSON object")  # noqa: TRY004 - answered like any wrong value
    return posted


def _switches(office: Office, posted: dict[str, Any]) -> object:
    return asdict(office.switches)


def _switch(office: Office, posted: dict[str, Any]) -> object:
    office.switches = office.switches.changed(**posted)
    return asdict(office.switches)


def _faults(office: Office, posted: dict[str, Any]) -> object:
    return [asdict(fault) for fault in office.faults.in_force]


def _add_fault(office: Office, posted: dict[str, Any]) -> object:
    office.faults.add(Fault(**posted))
    return _faults(office, posted)


def _clear_faults(office: Office, posted: dict[str, Any]) -> object:
    office.faults.clear()
    return _faults(office, posted)


def _requests(office: Office, posted: dict[str, Any]) -> object:
    return {
        "counts": {method: office.log.count(method) for method in METHODS},
        "requests": [asdict(record) for record in office.log.records],
    }


def _ledger(office: Office, posted: dict[str, Any]) -> object:
    return [asdict(entry) for entry in office.diary.entries]


def _reset(office: Office, posted: dict[str, Any]) -> object:
    office.reset()
    return {}


_ACTIONS: dict[tuple[str, str], Action] = {
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switch,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _requests,
    ("GET", "ledger"): _ledger,
    ("POST", "reset"): _reset,
}


def _json(status: int, value: object) -> Response:
    text = json.dumps(value, default=_plain)
    return Response(status=status, headers={"Content-Type": "application/json"}, body=text.encode())


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")
