"""What will happen in a run, drawn from its seed: who books what, what fails, who dies when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from standin import REFUSED_PHONE, StandIn
from standin.fixtures import CATEGORIES, Flat, of_size, shareholders
from tests.processes import ZONE

BOOKINGS_PER_HOUSE = 120  # of about 190 starts that a house has in twelve days
DAYS_AHEAD = range(1, 13)

# How often each fault hits a call, one after another: more than a third of all calls of `add`.
FAULTS: dict[str, dict[str, float]] = {
    "add": {
        "captcha": 0.05,
        "hang_after_write": 0.05,
        "hang": 0.03,
        "write_then_500": 0.05,
        "drop_after_write": 0.06,
        "drop_before_reply": 0.05,
        "cut": 0.04,
        "garbage": 0.04,
        "status": 0.04,
        "slot_just_taken": 0.05,
        "rate": 0.01,
    },
    "getFreeTimes": {"status": 0.04, "drop_before_reply": 0.04, "garbage": 0.03, "hang": 0.01},
    "getReadyFlats": {"status": 0.05, "drop_before_reply": 0.05},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one buyer wants, and how patiently. No two buyers want the same flat or time."""

    house_id: str
    category: str
    flat: str
    start: datetime  # aware, in the house's zone
    phone: str
    address: str  # the buyer's own, of the loopback network
    tabs: int  # forms of the same answers, sent at once
    presses: int  # of the button of each form, at once
    resends: bool  # the same form, when the connection breaks or the page does
    comes_back: bool  # presses the old form's button once more in the end
    second: datetime | None  # the time to which the visit is moved then


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """How big the stand-in's estate must be, so that every buyer has a flat and a time."""

    houses: int
    flats: int  # of each category in each house

    @classmethod
    def for_bookings(cls, count: int) -> Estate:
        houses = 1 + count // BOOKINGS_PER_HOUSE
        return cls(houses=houses, flats=1 + count // (houses * len(CATEGORIES)))

    @property
    def arguments(self) -> tuple[str, ...]:
        """For the stand-in's command."""
        return (
            "--houses",
            str(self.houses),
            "--flats",
            str(self.flats),
            "--switch",
            "busy=0",
            "--switch",
            "closed_weekdays=[]",
        )


def wishes(estate: Estate, count: int, dice: random.Random) -> list[Wish]:
    """So many buyers' wishes."""
    flats, starts = _flats_and_starts(estate, dice)
    return [_wish(number, flats, starts, dice) for number in range(count)]


def faults(dice: random.Random) -> Iterator[dict[str, Any]]:
    for method, kinds in FAULTS.items():
        for kind, probability in kinds.items():
            yield {
                "method": method,
                "kind": kind,
                "probability": probability,
                "seed": dice.randrange(10**6),
                # All obey it: with the usual 30 s, one would end the run.
                "retry_after": "1",
            }


def moments(bookings: int, count: int, dice: random.Random) -> list[int]:
    """So many of the buyers' numbers, in order: something happens soon after those begin."""
    return sorted(dice.choices(range(bookings), k=count))


Flats = list[tuple[str, Flat]]
Starts = dict[str, list[datetime]]


def _flats_and_starts(estate: Estate, dice: random.Random) -> tuple[Flats, Starts]:
    """All there is, shuffled. An estate of a size is the same here and in the process."""
    crm = StandIn(houses=of_size(houses=estate.houses, flats=estate.flats), zone=ZONE)
    flats = [(house.id, flat) for house in crm.houses.values() for flat in house.flats]
    dice.shuffle(flats)
    starts: Starts = {house_id: [] for house_id in crm.houses}
    for house_id, ahead in product(starts, DAYS_AHEAD):
        starts[house_id] += crm.free_starts(house_id, days_ahead=ahead)
    return flats, {house_id: _shuffled(found, dice) for house_id, found in starts.items()}


def _shuffled(starts: list[datetime], dice: random.Random) -> list[datetime]:
    return dice.sample(starts, len(starts))


def _wish(number: int, flats: Flats, starts: Starts, dice: random.Random) -> Wish:
    house_id, flat = flats.pop()
    phone = dice.choice(shareholders(house_id, flat))
    return Wish(
        house_id=house_id,
        category=flat.category,
        flat=flat.number,
        start=starts[house_id].pop(),
        phone=REFUSED_PHONE if dice.random() < 0.05 else phone,
        address=f"127.1.{number // 250}.{1 + number % 250}",
        tabs=2 if dice.random() < 0.1 else 1,
        presses=2 if dice.random() < 0.25 else 1,
        resends=dice.random() < 0.8,
        comes_back=dice.random() < 0.2,
        second=starts[house_id].pop() if dice.random() < 0.25 else None,
    )
