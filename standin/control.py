"""The control path beside the API, for a stand-in that runs as a process of its own.

    GET    /_stand-in/switches   all switches
    POST   /_stand-in/switches   {"busy": 0} and the like: those to change
    POST   /_stand-in/faults     {"method": "add", "kind": "hang", "times": 1}: one more fault
    DELETE /_stand-in/faults     no faults any more; hanging calls end
    GET    /_stand-in/requests   the redacted log, and the counts by method

What is posted is a JSON object with its content type, so that no page in a browser can post it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from standin.http_types import Request, Response
from standin.state import State
from standin.switches import METHODS

PREFIX = "/_stand-in/"


def answer(state: State, request: Request) -> Response:
    action = _ACTIONS.get((request.verb, request.path.removeprefix(PREFIX)))
    if action is None:
        return _json(404, {"error": "no such control path"})
    try:
        return _json(200, action(state, _posted(request)))
    except (ValueError, TypeError) as exc:
        return _json(400, {"error": str(exc)})


def _posted(request: Request) -> dict[str, Any]:
    if request.verb != "POST":
        return {}
    if request.content_type != "application/json":
        raise ValueError("post application/json")
    return dict(json.loads(request.body))


def _switches(state: State, posted: dict[str, Any]) -> object:
    state.switch(**posted)
    return asdict(state.switches)


def _add_fault(state: State, posted: dict[str, Any]) -> object:
    state.fail(**posted)
    return {}


def _clear_faults(state: State, posted: dict[str, Any]) -> object:
    state.recover()
    return {}


def _requests(state: State, posted: dict[str, Any]) -> object:
    return {
        "counts": {method: state.count(method) for method in METHODS},
        "requests": [asdict(record) for record in state.requests],
    }


_ACTIONS: dict[tuple[str, str], Callable[[State, dict[str, Any]], object]] = {
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switches,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _requests,
}


def _json(status: int, value: object) -> Response:
    text = json.dumps(value, default=str)  # a moment as text
    return Response(status=status, headers={"Content-Type": "application/json"}, body=text.encode())
