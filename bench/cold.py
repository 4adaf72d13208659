"""Step 2 when nothing is known of its days: all are asked at once, so many side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import figures, journey
from bench.figures import Figure
from bench.stage import CONCURRENCY, Stage, stage

LATENCY = 0.2  # seconds that the CRM takes for an answer
RUNS = 5
GOAL = 4.5
DAYS = 14


def measure(folder: Path) -> Iterator[Figure]:
    # No two runs are of one house. Nobody ever books here, so a flat is enough.
    houses = ("--houses", str(RUNS + 1), "--flats", "1", "--latency", str(LATENCY))
    with stage(folder, *houses) as here:
        pages = journey.times_of_all_houses(here)
        here.page(pages.pop())  # opens the connections to the CRM
        before = here.calls()["getFreeTimes"]
        took = median(_seconds(here, page) for page in pages)
        note = f"{DAYS} days, {LATENCY:g} s, {CONCURRENCY} at once"
        yield figures.at_most("cold step 2, in answers of the CRM", took / LATENCY, GOAL, note=note)
        asked = here.calls()["getFreeTimes"] - before
        yield figures.at_most("calls for each cold step 2", asked / len(pages), DAYS)
        yield figures.at_most("calls for a warm step 2", _calls_when_warm(here, pages), 0)


def _seconds(here: Stage, page: str) -> float:
    began_at = time.perf_counter()
    here.page(page)
    return time.perf_counter() - began_at


def _calls_when_warm(here: Stage, pages: list[str]) -> int:
    before = sum(here.calls().values())
    for page in pages:
        here.page(page)
    return sum(here.calls().values()) - before
