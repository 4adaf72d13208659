"""What goes wrong, when, and how often: faults by method, drawn anew for each request."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from standin.http_types import Response
from standin.switches import METHODS

KINDS = {
    "status": "answers `status` (500) with `headers` and `body`; the call has no effect",
    "rate": "answers 429 with Retry-After `retry_after`; the call has no effect",
    "captcha": "answers with a front proxy's page; the call has no effect",
    "hang": "never answers; the call has no effect",
    "drop_before_reply": "closes the connection without a byte; the call has no effect",
    "hang_after_write": "serves the call, never answers",
    "write_then_500": "serves the call, answers 500",
    "drop_after_write": "serves the call, closes the connection without a byte",
    "cut": "serves the call, closes the connection in the middle of the body",
    "drip": "serves the call, sends its answer byte by byte, `pause` seconds between them",
    "garbage": "serves the call, answers 200 with bytes that are not JSON",
    "slot_just_taken": "another visit takes the slot between showing and booking; `add` only",
}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
CAPTCHA = b"<html><title>Checking your browser</title><h1>captcha</h1></html>"
BEFORE_SERVING = frozenset({"status", "rate", "captcha", "hang", "drop_before_reply"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with a method: always, `times` times, or with a `probability`."""

    method: str
    kind: str
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    retry_after: str = "30"  # an HTTP date is the other form
    pause: float = 0.1

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is one of {', '.join(METHODS)}")
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")

    @property
    def is_before_serving(self) -> bool:
        return self.kind in BEFORE_SERVING


class FaultPlan:
    """The faults in force. Thread-safe; the same seed gives the same draws in the same order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []
        self._lifted = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(_Planned(fault))

    def draw(self, method: str) -> tuple[Fault | None, threading.Event]:
        """The fault that hits this request, the earliest planned first, and what ends a hang."""
        with self._lock:
            for planned in self._planned:
                if planned.fault.method == method and planned.hits():
                    self._planned = [kept for kept in self._planned if kept.left != 0]
                    return planned.fault, self._lifted
        return None, self._lifted

    def clear(self) -> None:
        """Lift all faults; calls that hang end without an answer."""
        with self._lock:
            self._planned.clear()
            self._lifted.set()
            self._lifted = threading.Event()


class _Planned:
    """A fault and how much of it is left."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self._random = random.Random(fault.seed)  # noqa: S311 - repeatable, not secret

    def hits(self) -> bool:
        if self._random.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def response(fault: Fault) -> Response:
    """The answer of a fault that answers by itself."""
    if fault.kind == "rate":
        return Response(
            status=429,
            headers={"Content-Type": "application/json", "Retry-After": fault.retry_after},
            body=b'{"message":"Too many requests"}',
        )
    if fault.kind == "captcha":
        return Response(headers=HTML, body=CAPTCHA)
    if fault.kind == "garbage":
        return Response(headers={"Content-Type": "application/json"}, body=b"\x00\xff{]garbage")
    if fault.kind == "write_then_500":
        return Response(status=500, headers=HTML)
    return Response(
        status=fault.status, headers={**HTML, **fault.headers}, body=fault.body.encode()
    )
