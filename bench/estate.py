"""Step 1 of a big developer beside that of a small one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median

from bench import figures, journey, wrk
from bench.figures import Figure
from bench.stage import Stage, stage

SMALL = (1, 10)
ESTATES = (SMALL, (2, 500), (200, 500))  # houses, flats in each
GOAL = 3


def measure(folder: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        stages = {size: stack.enter_context(_estate(folder, *size)) for size in ESTATES}
        runs = dict(zip(ESTATES, _side_by_side(list(stages.values())), strict=True))
        for size, seen in runs.items():
            yield Figure(name=f"step 1, {_named(size)}: requests/s", value=wrk.rate(seen))
        big = ESTATES[-1]
        slower = median(
            small.rate / large.rate for small, large in zip(runs[SMALL], runs[big], strict=True)
        )
        yield figures.at_most(f"step 1, {_named(big)}: times slower", slower, GOAL)
        yield from _flats_of_a_house(stages[big])


def _estate(folder: Path, houses: int, flats: int) -> AbstractContextManager[Stage]:
    return stage(folder, "--houses", str(houses), "--flats", str(flats))


def _side_by_side(stages: list[Stage]) -> list[list[wrk.Load]]:
    for here in stages:
        here.page(journey.HOUSES)
    return wrk.side_by_side([here.url(journey.HOUSES) for here in stages])


def _flats_of_a_house(here: Stage) -> Iterator[Figure]:
    path = journey.choice(here.page(journey.HOUSES).html, "house")
    [runs] = wrk.side_by_side([here.url(path)])
    size = len(here.page(path).html.encode())
    yield Figure(
        name="step 1, 500 flats of a house: requests/s",
        value=wrk.rate(runs),
        note=f"{size:,} bytes",
    )


def _named(size: tuple[int, int]) -> str:
    houses, flats = size
    return f"{houses * flats:,} flats in {houses}"
