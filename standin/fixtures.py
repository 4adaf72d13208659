"""The houses that the stand-in has, their flats, and who holds a share in each.

All names, numbers and phones are invented. A "flat" is any object; its category says which kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

# The order in which the server looks for a number that comes without a category.
CATEGORIES = ("flat", "garage", "storageroom", "comm")

ACCEPTED_PHONE = "+79001234567"  # a shareholder of every flat, so that a demo can book anything
REFUSED_PHONE = "+79007654321"  # a shareholder of none


@dataclass(frozen=True, slots=True)
class Flat:
    category: str
    number: str
    ready: bool = True  # the deal is done and the actual readiness date is filled in


@dataclass(frozen=True)
class House:
    id: str
    title: str
    flats: tuple[Flat, ...]
    opens: int = 9  # hours of the house's wall clock
    closes: int = 18

    def find(self, number: str, category: str | None) -> Flat | None:
        """The flat; without a category the first one found with that number."""
        candidates = (category,) if category else CATEGORIES
        found = (self._by_number.get((each, number)) for each in candidates)
        return next((flat for flat in found if flat), None)

    @cached_property
    def _by_number(self) -> dict[tuple[str, str], Flat]:
        return {(flat.category, flat.number): flat for flat in self.flats}


def shareholders(house_id: str, flat: Flat) -> tuple[str, ...]:
    """The one or two phones of a flat's shareholders, the same on every run."""
    digest = sha256(f"{house_id}|{flat.category}|{flat.number}".encode()).digest()
    count = 1 + digest[0] % 2
    # All begin with +7901, so that none is the refused phone.
    return tuple(
        f"+7901{int.from_bytes(digest[1 + 4 * i : 5 + 4 * i]) % 10**7:07}" for i in range(count)
    )


def sample() -> tuple[House, ...]:
    """A small developer's houses with everything that makes numbers hard."""
    return (_forest_one(), _forest_two(), _meadow(), _embankment(), _parking(), _last_flat())


def of_size(*, houses: int, flats: int) -> tuple[House, ...]:
    """This many houses with this many flats of each category: for measuring."""
    return tuple(_measured_house(number, flats) for number in range(1, houses + 1))


def _flats(category: str, numbers: Iterable[str]) -> Iterator[Flat]:
    return (Flat(category, number) for number in numbers)


def _forest_one() -> House:
    """Numbers made of section, floor and flat; the storerooms begin with a Cyrillic К."""
    return House(
        id="3105011",
        title="ЖК «Лесной квартал», дом 1 (ул. Таёжная, 14)",
        flats=(
            *_flats("flat", (f"1.8-{floor}-{n}" for floor in range(2, 17) for n in range(1, 5))),
            Flat("flat", "1.8-17-1", ready=False),
            *_flats("storageroom", (f"К-1.4-{n}-1" for n in range(1, 13))),
            *_flats("comm", ("Н-1", "Н-2")),
        ),
    )


def _forest_two() -> House:
    """Six hundred flats in six sections."""
    numbers = (
        f"2.{section}-{floor}-{n}"
        for section in range(1, 7)
        for floor in range(1, 26)
        for n in range(1, 5)
    )
    return House(
        id="3105012",
        title="ЖК «Лесной квартал», дом 2 (ул. Таёжная, 16)",
        flats=tuple(_flats("flat", numbers)),
    )


def _meadow() -> House:
    """Plain numbers, and the same ones for the garages: a number alone does not name a flat."""
    return House(
        id="3105027",
        title="ул. Луговая, 5, корпус 1",
        flats=(
            *_flats("flat", (str(n) for n in range(1, 49))),
            *_flats("garage", (str(n) for n in range(1, 13))),
        ),
    )


def _embankment() -> House:
    """Two numbers that look the same: one with a Cyrillic letter, one with a Latin one."""
    return House(
        id="3105034",
        title="Дом у реки (Речная наб., 3/2)",
        flats=(
            *_flats("flat", ("К-7", "K-7", "12", "12а", "12 Б", "А1/3")),
            *_flats("storageroom", (f"Кл. {n}" for n in range(1, 7))),
            *_flats("comm", ("Оф. 1", "Оф. 2", "Оф. 2/1")),
        ),
        opens=10,
        closes=16,
    )


def _parking() -> House:
    """No flats at all, only places for cars."""
    levels = (f"М-{level}/{place}" for level in range(1, 4) for place in range(1, 21))
    return House(
        id="3105040",
        title="Паркинг (ул. Таёжная, 18)",
        flats=tuple(_flats("garage", levels)),
    )


def _last_flat() -> House:
    """A house sold long ago, with one flat left to hand over."""
    return House(id="3104998", title="пер. Садовый, 8", flats=(Flat("flat", "33"),))


def _measured_house(number: int, flats: int) -> House:
    return House(
        id=str(4000000 + number),
        title=f"Дом {number} (ул. Мерная, {number})",
        flats=tuple(
            Flat(category, f"{1 + n // 100}-{1 + n % 100 // 4}-{n + 1}")
            for category in CATEGORIES
            for n in range(flats)
        ),
    )
