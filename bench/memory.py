"""What a worker holds after many pages, and whether that still grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench import estate, figures, journey, wrk
from bench.figures import Figure
from bench.stage import Stage, stage

MANY = 10_000
GOAL = 100  # megabytes
# What is drawn once, connections and threads come with the first requests; then it must stand.
FLAT = 1.05
MEGABYTE = 1024  # kilobytes


def measure(folder: Path) -> Iterator[Figure]:
    with stage(folder) as here:
        way = journey.first(here)
        paths = (way.houses, way.flats, way.time, way.confirm)
        served = _serve(here, paths, MANY // 2)
        half_way = _held(here, "Rss")
        served += _serve(here, paths, MANY - served)
        whole, shared_out = _held(here, "Rss"), _held(here, "Pss")
        note = f"{served:,} requests to both"
        yield figures.at_most(
            "memory of the bigger worker (RSS)", whole, GOAL, unit="MB", note=note
        )
        yield Figure(
            name="its fair share of what they have in common (PSS)", value=shared_out, unit="MB"
        )
        yield figures.at_most("the second half of the requests: times", whole / half_way, FLAT)
    yield from _of_a_big_developer(folder)


def _of_a_big_developer(folder: Path) -> Iterator[Figure]:
    """The same worker when every house of 100,000 flats has been opened, several times."""
    houses, flats = estate.ESTATES[-1]
    with stage(folder, "--houses", str(houses), "--flats", str(flats)) as here:
        for _round in range(3):
            for path in journey.choices(here.page(journey.HOUSES).html, "house"):
                here.page(path)
        yield Figure(
            name="memory of the bigger worker, 100,000 flats, all houses opened",
            value=_held(here, "Rss"),
            unit="MB",
        )


def _serve(here: Stage, paths: tuple[str, ...], count: int) -> int:
    """At least so many requests, in turns. Returns how many it were."""
    served = 0
    while served < count:
        served += sum(wrk.load(here.url(path), seconds=1).requests for path in paths)
    return served


def _held(here: Stage, kind: str) -> float:
    """The most that a worker holds, in megabytes."""
    return max(_kilobytes(pid, kind) for pid in here.site.worker_pids()) / MEGABYTE


def _kilobytes(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{kind}:")).split()[1])
