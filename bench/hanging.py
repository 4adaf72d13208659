"""The CRM takes every call and never answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench import figures, journey, wrk
from bench.figures import Figure
from bench.stage import Stage, stage

GOAL = 0.1  # seconds
# A healthy thread answers at once, whatever the others wait for.
GOAL_ALIVE = 0.5
# So few that they do not wait for each other: 32 that never pause wait for 32 pages in any case.
FEW = 8
# "As warm", within what figures swing by from run to run.
SWING = 1.3
SECONDS_UNTIL_STALE = 31
LONGEST_WAIT = 60
READS = ("getReadyFlats", "getFreeTimes")


def measure(folder: Path) -> Iterator[Figure]:
    yield from _nothing_known(folder)
    yield from _days_unknown(folder)
    yield from _stale(folder)


def _nothing_known(folder: Path) -> Iterator[Figure]:
    with stage(folder, "--houses", "1", "--flats", "1") as here:
        _hang(here)
        [page] = journey.deep_links(1)
        yield from _after_the_first_failure(here, "empty cache", page, status=503)


def _days_unknown(folder: Path) -> Iterator[Figure]:
    with stage(folder, "--houses", "1", "--flats", "1") as here:
        here.page(journey.HOUSES)
        _hang(here)
        [page] = journey.deep_links(1)
        yield from _after_the_first_failure(here, "only the houses known", page, status=503)


def _stale(folder: Path) -> Iterator[Figure]:
    with stage(folder) as here:
        page = journey.first(here).time
        warm = _runs(here, page)
        here.page(page)
        _hang(here)
        time.sleep(SECONDS_UNTIL_STALE)
        stale = _runs(here, page)
        yield figures.milliseconds("warm step 2: p99", wrk.p99(warm))
        note = f"{wrk.rate(stale):,.0f} requests/s, warm {wrk.rate(warm):,.0f}"
        yield figures.milliseconds("CRM hangs, stale cache: p99", wrk.p99(stale), note=note)
        ratio = wrk.p99(stale) / wrk.p99(warm)
        yield figures.at_most("CRM hangs, stale cache: p99 against warm", ratio, SWING)


def _after_the_first_failure(
    here: Stage, known: str, page: str, *, status: int
) -> Iterator[Figure]:
    waited = _until_the_failure_is_known(here, page, status)
    with _health(here) as answered_after:
        runs = _runs(here, page)
    p99 = wrk.p99(runs)
    name = f"CRM hangs, {known}"
    note = f"{FEW} connections, {wrk.rate(runs):,.0f} requests/s"
    yield figures.at_most(f"{name}: p99 of step 2", p99 * 1000, GOAL * 1000, unit="ms", note=note)
    slowest = max(answered_after)
    note = f"median {median(answered_after) * 1000:.0f} ms of {len(answered_after)}"
    yield figures.at_most(
        f"{name}: slowest /healthz/ meanwhile",
        slowest * 1000,
        GOAL_ALIVE * 1000,
        unit="ms",
        note=note,
    )
    yield Figure(name=f"{name}: the first buyer waited", value=waited, unit="s")


def _runs(here: Stage, page: str) -> list[wrk.Load]:
    """Pages that say that the CRM is away count as well: so does what a buyer waits for them."""
    url = here.url(page)
    wrk.load(url, seconds=wrk.WARM_UP)
    return [wrk.load(url, connections=FEW) for _run in range(wrk.RUNS)]


def _until_the_failure_is_known(here: Stage, page: str, status: int) -> float:
    """How long the first buyer waited, in seconds. Raises TimeoutError."""
    began_at = time.perf_counter()
    first = None
    while time.perf_counter() < began_at + LONGEST_WAIT:
        asked_at = time.perf_counter()
        answered = here.browser().get(page)
        took = time.perf_counter() - asked_at
        first = first or took
        if answered.status == status and took < GOAL:
            return first
    raise TimeoutError(f"{page} is not answered with {status} at once")


@contextmanager
def _health(here: Stage) -> Iterator[list[float]]:
    """How long each of many looks at the site's health took, in seconds, while the block runs."""
    over = threading.Event()
    took: list[float] = []
    watcher = threading.Thread(target=_watch, args=(here, over.wait, took))
    watcher.start()
    try:
        yield took
    finally:
        over.set()
        watcher.join()


def _watch(here: Stage, wait: Callable[[float], bool], took: list[float]) -> None:
    while True:
        asked_at = time.perf_counter()
        here.page("/healthz/")
        took.append(time.perf_counter() - asked_at)
        if wait(0.1):
            return


def _hang(here: Stage) -> None:
    for method in READS:
        here.standin.fail(method=method, kind="hang")
