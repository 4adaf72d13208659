"""The addresses of the three steps, found as a buyer finds them: on the pages."""

from __future__ import annotations

from dataclasses import dataclass

from bench.stage import Stage
from standin.fixtures import of_size
from tests import journey

HOUSES = "/?category=flat"


@dataclass(frozen=True, slots=True)
class Journey:
    """The pages in their order, as paths with the answers so far."""

    houses: str
    flats: str
    time: str
    confirm: str


def first(stage: Stage) -> Journey:
    """By the first house, its first flat and the first free time. Warms the cache on the way."""
    flats = choice(stage.page(HOUSES).html, "house")
    time = choice(stage.page(flats).html, "flat")
    confirm = choice(stage.page(time).html, "start")
    stage.page(confirm)
    return Journey(HOUSES, flats, time, confirm)


def deep_links(count: int) -> list[str]:
    """Step 2 of the first flat of this many houses of a measured estate. It opens no page."""
    houses = (house.id for house in of_size(houses=count, flats=1))
    return [f"/time/?category=flat&house={house}&flat=1-1-1" for house in houses]


def choice(html: str, name: str) -> str:
    """Where the first button of this name leads. Raises LookupError."""
    found = choices(html, name)
    if not found:
        raise LookupError(f"no {name} can be chosen on the page")
    return found[0]


def choices(html: str, name: str) -> list[str]:
    """Where its buttons of this name lead."""
    return [url for url in journey.choices(html) if url[url.rindex("&") :].startswith(f"&{name}=")]
