"""Step 2 when nothing is known of its days: asked side by side, or read while step 1 was open."""

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
GOAL_OF_TIMES, GOAL_OF_DAYS = 2.2, 4.5
DAYS = 14
UNCHECKED = "day--unknown"
ON_STEP_1 = 2  # seconds


def measure(folder: Path) -> Iterator[Figure]:
    # No two runs are of one house. Nobody ever books here, so a flat is enough.
    houses = ("--houses", str(2 * RUNS + 1), "--flats", "1", "--latency", str(LATENCY))
    with stage(folder, *houses) as here:
        here.page(journey.HOUSES)
        links = journey.deep_links(2 * RUNS + 1)
        _seconds_to_times_and_days(here, links.pop())  # opens the connections to the CRM
        yield from _deep_links(here, links[:RUNS])
        yield from _after_step_1(here, links[RUNS:])


def _deep_links(here: Stage, links: list[str]) -> Iterator[Figure]:
    before = here.calls()["getFreeTimes"]
    took = [_seconds_to_times_and_days(here, link) for link in links]
    asked = here.calls()["getFreeTimes"] - before
    note = f"answers of the CRM; {DAYS} days, {LATENCY:g} s, {CONCURRENCY} at once"
    times, days = (median(each) / LATENCY for each in zip(*took, strict=True))
    yield figures.at_most("cold deep link, first times", times, GOAL_OF_TIMES, note=note)
    yield figures.at_most("cold deep link, all days", days, GOAL_OF_DAYS, note=note)
    yield figures.at_most("calls for each cold deep link", asked / len(links), DAYS)
    before = sum(here.calls().values())
    warm = median(_seconds(here, link) for link in links)
    yield figures.milliseconds("the same once more", warm)
    yield figures.at_most("calls for it", sum(here.calls().values()) - before, 0)


def _seconds_to_times_and_days(here: Stage, link: str) -> tuple[float, float]:
    """Until the page is there, and until its script has the other days, too."""
    began_at = time.perf_counter()
    page = here.page(link).html
    to_times = time.perf_counter() - began_at
    if 'name="start"' not in page:
        raise RuntimeError(f"no times in {link}")
    if UNCHECKED in here.page(link.replace("/time/", "/time/days/")).html:
        raise RuntimeError(f"days not checked in {link}")
    return to_times, time.perf_counter() - began_at


def _after_step_1(here: Stage, links: list[str]) -> Iterator[Figure]:
    """A buyer opens a house on step 1, and its flat a little later."""
    took = []
    waited_for = 0
    for link in links:
        here.page(link.replace("/time/", "/").partition("&flat=")[0])
        time.sleep(ON_STEP_1)
        before = here.calls()["getFreeTimes"]
        took.append(_seconds(here, link))
        waited_for += here.calls()["getFreeTimes"] - before
    yield figures.at_most(f"calls for step 2 after {ON_STEP_1} s on step 1", waited_for, 0)
    yield figures.milliseconds(f"step 2 after {ON_STEP_1} s on step 1", median(took))


def _seconds(here: Stage, page: str) -> float:
    began_at = time.perf_counter()
    here.page(page)
    return time.perf_counter() - began_at
