"""The bookings that the stand-in has taken: the evidence that tests are judged by."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One booking. `transfer_date` is wall time without an offset, `phone` is whole."""

    sequence: int
    house_id: str
    number: str
    category: str
    transfer_date: str
    phone: str
    received_at: str
    replaces: int | None = None  # the sequence of the booking that this one has moved


class Ledger:
    """Append-only. With a file, an entry is on the disk before `append` returns.

    Not thread-safe: the schedule appends under its lock.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.entries: list[Entry] = _restored(path) if path and path.exists() else []

    def append(self, entry: Entry) -> None:
        if self._path:
            _write_through(self._path, json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self.entries.append(entry)


def _write_through(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _restored(path: Path) -> list[Entry]:
    """The entries of an earlier run. A line that a kill cut short was never answered: it goes."""
    whole, _, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(path, len(whole) + 1 if whole else 0)
    return [Entry(**json.loads(line)) for line in whole.splitlines()]
