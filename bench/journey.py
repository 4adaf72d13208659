"""The addresses of the three steps, found as a buyer finds them: on the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from bench.stage import Stage

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
    flats = link(stage.page(HOUSES).html, r"/\?[^\"]*house=")
    time = link(stage.page(flats).html, "/time/")
    confirm = link(stage.page(time).html, "/confirm/")
    stage.page(confirm)
    return Journey(HOUSES, flats, time, confirm)


def times_of_all_houses(stage: Stage) -> list[str]:
    """Step 2 of the first flat of each house; none of them has been opened."""
    listed = links(stage.page(HOUSES).html, r"/\?[^\"]*house=")
    return [link(stage.page(house).html, "/time/") for house in listed]


def link(html: str, beginning: str) -> str:
    """The first link of a page that begins so (a regular expression). Raises LookupError."""
    found = links(html, beginning)
    if not found:
        raise LookupError(f"no link {beginning} on the page")
    return found[0]


def links(html: str, beginning: str) -> list[str]:
    return [unescape(found) for found in re.findall(rf'href="({beginning}[^"#]*)', html)]
