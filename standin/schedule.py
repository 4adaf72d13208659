"""Which slots there are and which are taken. All moments are naive wall time of the house."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from hashlib import sha256

from standin.fixtures import Flat, House
from standin.ledger import Entry, Ledger
from standin.switches import Switches

LUNCH = (time(13), time(14))
FULLY_BOOKED_DAYS = 12  # with `busy`, one day in this many has no free slot at all


class SlotTaken(Exception):
    """Another visit has the slot."""


class AlreadyBooked(Exception):
    """The flat has a visit already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRequest:
    """A valid `add`."""

    house: House
    flat: Flat
    start: datetime
    phone: str
    received_at: datetime


class Schedule:
    """What is taken. Thread-safe."""

    def __init__(self, ledger: Ledger) -> None:
        self._lock = threading.Lock()
        self._ledger = ledger
        self._taken: Counter[tuple[str, datetime]] = Counter()
        self._booked: dict[tuple[str, str, str], Entry] = {}
        for entry in ledger.entries:
            self._count(entry)

    @property
    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._ledger.entries)

    def free(self, house: House, day: date, switches: Switches) -> list[time]:
        with self._lock:
            return [
                start
                for start in grid(house, switches)
                if self._is_free(house, datetime.combine(day, start), switches)
            ]

    def has_visit(self, house: House, flat: Flat) -> bool:
        with self._lock:
            return (house.id, flat.category, flat.number) in self._booked

    def book(self, request: AddRequest, switches: Switches) -> None:
        """Take the slot and write it into the ledger. Raises SlotTaken or AlreadyBooked."""
        with self._lock:
            flat = request.flat
            earlier = self._booked.get((request.house.id, flat.category, flat.number))
            if earlier and switches.second_add == "refused":
                raise AlreadyBooked
            if not self._is_free(request.house, request.start, switches):
                raise SlotTaken
            moved = earlier if switches.second_add == "moves" else None
            entry = Entry(
                sequence=len(self._ledger.entries) + 1,
                house_id=request.house.id,
                number=flat.number,
                category=flat.category,
                transfer_date=request.start.isoformat(timespec="minutes"),
                phone=request.phone,
                received_at=request.received_at.isoformat(timespec="milliseconds"),
                replaces=moved.sequence if moved else None,
            )
            self._ledger.append(entry)
            self._count(entry)

    def hand_to_a_rival(self, house_id: str, start: datetime) -> None:
        """Take a slot without an entry in the ledger: the client did not ask for it."""
        with self._lock:
            self._taken[house_id, start] += 1

    def _is_free(self, house: House, start: datetime, switches: Switches) -> bool:
        if not is_open(house, start, switches) or _is_busy(house, start, switches):
            return False
        return self._taken[house.id, start] < switches.capacity

    def _count(self, entry: Entry) -> None:
        if entry.replaces:
            moved = self._ledger.entries[entry.replaces - 1]
            self._taken[moved.house_id, datetime.fromisoformat(moved.transfer_date)] -= 1
        self._taken[entry.house_id, datetime.fromisoformat(entry.transfer_date)] += 1
        self._booked[entry.house_id, entry.category, entry.number] = entry


def is_open(house: House, start: datetime, switches: Switches) -> bool:
    """Whether the start is on the house's grid on a working day, taken or not."""
    day = start.date()
    if day.isoweekday() in switches.closed_weekdays or day.isoformat() in switches.closed_days:
        return False
    return start.time() in grid(house, switches) and not LUNCH[0] <= start.time() < LUNCH[1]


def grid(house: House, switches: Switches) -> tuple[time, ...]:
    """All starts of a day from opening to closing, lunch included."""
    return _starts(house.opens, house.closes, switches.grid_minutes)


@lru_cache(maxsize=32)
def _starts(opens: int, closes: int, minutes: int) -> tuple[time, ...]:
    return tuple(time(start // 60, start % 60) for start in range(opens * 60, closes * 60, minutes))


def _is_busy(house: House, start: datetime, switches: Switches) -> bool:
    """Whether the slot was taken from the start: by hash, so every run agrees."""
    if not switches.busy:
        return False
    if _fraction(f"{house.id}|{start.date()}") < 1 / FULLY_BOOKED_DAYS:
        return True
    return _fraction(f"{house.id}|{start.isoformat()}") < switches.busy


def _fraction(text: str) -> float:
    """A number from 0 to 1 that depends on the text alone."""
    return int.from_bytes(sha256(text.encode()).digest()[:4]) / 2**32
