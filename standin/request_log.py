"""The log of requests, with the token, the phone and the secret redacted."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

KEPT = 10_000
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One request to one of the methods, with its parameters as PHP would see them."""

    method: str
    verb: str
    params: Mapping[str, str]
    received_at: datetime


class RequestLog:
    """Thread-safe. Keeps the last ten thousand records; the counts know of all."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._changed = threading.Condition()
        self._records: deque[Record] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()

    def add(self, *, method: str, verb: str, params: Mapping[str, str], at: datetime) -> None:
        redacted = {name: self._redacted(name, value) for name, value in params.items()}
        with self._changed:
            self._counts[method] += 1
            self._records.append(Record(method=method, verb=verb, params=redacted, received_at=at))
            self._changed.notify_all()

    @property
    def records(self) -> list[Record]:
        with self._changed:
            return list(self._records)

    def count(self, method: str) -> int:
        with self._changed:
            return self._counts[method]

    def wait_for(self, method: str, *, count: int, timeout: float) -> bool:
        """Wait for this many requests; False when `timeout` seconds have passed."""
        with self._changed:
            return self._changed.wait_for(lambda: self._counts[method] >= count, timeout)

    def _redacted(self, name: str, value: str) -> str:
        if name == "token":
            return REDACTED
        if name == "phone":
            return f"…{value[-2:]}"
        return value.replace(self._secret, REDACTED) if self._secret else value
