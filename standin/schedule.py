"""Which slots there are and who has them: the grid, what is taken, and the lock around taking."""

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
FULLY_BOOKED_DAYS = 12  # on average one day in so many has no place left


class SlotTaken(Exception):
    """Somebody else has the slot."""


class AlreadyBooked(Exception):
    """The flat has a visit already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an `add` asks for, found to be in order. `start` is the house's wall time."""

    house: House
    flat: Flat
    start: datetime
    phone: str
    received_at: datetime

    @property
    def object(self) -> tuple[str, str, str]:
        return (self.house.id, self.flat.category, self.flat.number)


class Diary:
    """Thread-safe. All moments are naive wall time of the house."""

    def __init__(self, ledger: Ledger) -> None:
        self._lock = threading.Lock()
        self._ledger = ledger
        self._forget()
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

    def has_booked(self, house_id: str, flat: Flat) -> bool:
        with self._lock:
            return (house_id, flat.category, flat.number) in self._booked

    def book(self, wish: Wish, switches: Switches) -> Entry:
        """Take the slot and write it into the ledger. Raises SlotTaken or AlreadyBooked."""
        with self._lock:
            earlier = self._booked.get(wish.object)
            if earlier and switches.second_add == "refused":
                raise AlreadyBooked
            if not self._is_free(wish.house, wish.start, switches):
                raise SlotTaken
            moved = earlier if switches.second_add == "moves" else None
            entry = self._entry(wish, replaces=moved.sequence if moved else None)
            self._ledger.append(entry)
            self._count(entry)
            return entry

    def hand_to_a_rival(self, house_id: str, start: datetime) -> None:
        """Somebody else takes a place in the slot. Not in the ledger: nobody asked us for it."""
        with self._lock:
            self._taken[house_id, start] += 1

    def clear(self) -> None:
        with self._lock:
            self._ledger.clear()
            self._forget()

    def _forget(self) -> None:
        self._taken: Counter[tuple[str, datetime]] = Counter()
        self._booked: dict[tuple[str, str, str], Entry] = {}

    def _is_free(self, house: House, start: datetime, switches: Switches) -> bool:
        if not is_open(house, start, switches) or _is_busy(house, start, switches):
            return False
        return self._taken[house.id, start] < switches.capacity

    def _entry(self, wish: Wish, *, replaces: int | None) -> Entry:
        return Entry(
            sequence=len(self._ledger.entries) + 1,
            house_id=wish.house.id,
            number=wish.flat.number,
            category=wish.flat.category,
            transfer_date=wish.start.isoformat(timespec="minutes"),
            phone=wish.phone,
            received_at=wish.received_at.isoformat(timespec="milliseconds"),
            replaces=replaces,
        )

    def _count(self, entry: Entry) -> None:
        if entry.replaces:
            moved = self._ledger.entries[entry.replaces - 1]
            self._taken[moved.house_id, datetime.fromisoformat(moved.transfer_date)] -= 1
        self._taken[entry.house_id, datetime.fromisoformat(entry.transfer_date)] += 1
        self._booked[entry.house_id, entry.category, entry.number] = entry


def is_open(house: House, start: datetime, switches: Switches) -> bool:
    """A start of the house's grid on a working day, whoever has it."""
    day = start.date()
    if day.isoweekday() in switches.closed_weekdays or day.isoformat() in switches.closed_days:
        return False
    return start.time() in grid(house, switches) and not LUNCH[0] <= start.time() < LUNCH[1]


def grid(house: House, switches: Switches) -> tuple[time, ...]:
    """All starts of a day from opening to closing, lunch included, whoever has them."""
    return _starts(house.opens, house.closes, switches.grid_minutes)


@lru_cache(maxsize=32)
def _starts(opens: int, closes: int, minutes: int) -> tuple[time, ...]:
    return tuple(time(start // 60, start % 60) for start in range(opens * 60, closes * 60, minutes))


def _is_busy(house: House, start: datetime, switches: Switches) -> bool:
    """Whether others had the slot from the beginning: by hash, so every run agrees."""
    if not switches.busy:
        return False
    if _share(f"{house.id}|{start.date()}") < 1 / FULLY_BOOKED_DAYS:
        return True
    return _share(f"{house.id}|{start.isoformat()}") < switches.busy


def _share(text: str) -> float:
    """A number from 0 to 1 that depends on nothing but the text."""
    return int.from_bytes(sha256(text.encode()).digest()[:4]) / 2**32
