"""The three steps when everything is known already, beside the least that such pages cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench import figures, journey, wrk
from bench.figures import Figure
from bench.stage import Stage, stage

GOAL = 0.65


def measure(folder: Path) -> Iterator[Figure]:
    with stage(folder) as here:
        way = journey.first(here)
        for name, path in (
            ("step 1, houses", way.houses),
            ("step 1, flats of a house", way.flats),
            ("step 2", way.time),
            ("step 3", way.confirm),
        ):
            yield from _beside_floors(here, name, path)


def _beside_floors(here: Stage, name: str, path: str) -> Iterator[Figure]:
    size = len(here.page(path).html.encode())
    query = path.partition("?")[2]
    bare = len(here.page(f"/floor/template/0/?{query}").html.encode())
    floors = (f"/floor/template/{size - bare}/?{query}", f"/floor/constant/{size}/?{query}")
    page, on_base, constant = wrk.side_by_side([here.url(each) for each in (path, *floors)])
    yield figures.at_least(f"{name}: share of floor A", wrk.share(page, on_base), GOAL)
    yield Figure(name=f"{name}: share of floor B", value=wrk.share(page, constant))
    yield Figure(name=f"{name}: requests/s", value=wrk.rate(page), note=_beside(on_base, constant))
    yield figures.milliseconds(f"{name}: p50", wrk.p50(page), note=f"{size:,} bytes")
    yield figures.milliseconds(f"{name}: p99", wrk.p99(page))


def _beside(on_base: list[wrk.Load], constant: list[wrk.Load]) -> str:
    return f"A {wrk.rate(on_base):,.0f}, B {wrk.rate(constant):,.0f}"
