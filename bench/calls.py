"""How often the CRM is called for a thousand buyers who come at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from tempfile import mkdtemp

from bench import figures, journey
from bench.figures import Figure
from bench.stage import Stage, site_of, stage
from tests.processes import StandInProcess
from tests.torture.postgres import Postgres, binaries

BUYERS = 1000
# As many as one worker lets in (booking.middleware.load_shedding): who is turned away asks nothing.
AT_ONCE = 16
CATEGORIES = ("flat", "garage", "storageroom", "comm")
ESTATE = ("--houses", "1", "--flats", "250")
# The days of a page, one to spare, one list for each category.
GOAL = 14 + 1 + len(CATEGORIES)
# A day's answer is fresh for 30 s, less the jitter; the crowd must have come by then.
FRESH_PERIOD = 24


def measure(folder: Path) -> Iterator[Figure]:
    with stage(folder, *ESTATE) as here:
        yield from _of_a_crowd("2 workers, SQLite", [here])
    found = binaries()
    if found:
        yield from _with_postgresql(folder, found)
    else:
        name = f"calls for {BUYERS:,} buyers, PostgreSQL"
        yield Figure(name=name, value=None, note="there is no PostgreSQL (Debian's package)")


def _with_postgresql(folder: Path, found: Path) -> Iterator[Figure]:
    """Two sites of one worker each, as on two machines; PostgreSQL is all that they share."""
    with ExitStack() as stack:
        database = stack.enter_context(Postgres(found)).database("site")
        standin = stack.enter_context(StandInProcess(Path(mkdtemp(dir=folder)), *ESTATE))
        sites = [
            site_of(
                Path(mkdtemp(dir=folder)),
                standin,
                static=folder / "static",
                workers=1,
                database_url=database,
            )
            for _machine in range(2)
        ]
        stages = [Stage(standin, stack.enter_context(site)) for site in sites]
        yield from _of_a_crowd("2 sites, PostgreSQL", stages)


def _of_a_crowd(where: str, stages: Sequence[Stage]) -> Iterator[Figure]:
    began_at = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        buyers = zip(range(BUYERS), cycle(stages), cycle(CATEGORIES), strict=False)
        visits = [pool.submit(_visit, here, number, category) for number, here, category in buyers]
        for visit in visits:
            visit.result()
    took = time.perf_counter() - began_at
    counts = stages[0].calls()
    note = ", ".join(f"{method} {count}" for method, count in counts.items() if count)
    total = sum(counts.values())
    yield figures.at_most(f"calls for {BUYERS:,} buyers, {where}", total, GOAL, note=note)
    yield figures.at_most("seconds within which they came", took, FRESH_PERIOD, unit="s")


def _visit(here: Stage, number: int, category: str) -> None:
    """One buyer: their own flat, the days, and a free time up to the button."""
    houses = here.page(f"/?category={category}").html
    flats = here.page(journey.choice(houses, "house")).html
    own = journey.choices(flats, "flat")[number // len(CATEGORIES)]
    here.page(journey.choice(here.page(own).html, "start"))
