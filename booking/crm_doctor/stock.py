"""Check the list of each category, and compare the lists."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import TypeAlias

from booking.crm import CRMClient, CRMConfig, CRMError, ListedHouse, ReadyFlats
from booking.crm_doctor.findings import Finding, Stage, Verdict, failure
from booking.flat_numbers import folded

# By category: the reply, and what is offered.
Lists: TypeAlias = Mapping[str, ReadyFlats]
Number: TypeAlias = tuple[str, str]  # of a house and of a flat in it
Offers: TypeAlias = Mapping[str, set[Number]]

EXAMPLES = 3


def check(config: CRMConfig, categories: Iterable[str]) -> Stage[ListedHouse | None]:
    """Yield findings; return a house with flats, if any."""
    client = CRMClient(config)
    lists = {}
    for category in categories:
        try:
            lists[category] = client.ready_flats(category)
        except CRMError as error:
            yield failure(_row(category), error)
        else:
            yield _counted(category, lists[category])
    if lists:
        yield from _compared(lists)
    houses = (house for found in lists.values() for house in found.houses if house.flats)
    return next(houses, None)


def _row(category: str) -> str:
    return f"category {category}"


def _counted(category: str, found: ReadyFlats) -> Finding:
    houses = sum(1 for house in found.houses if house.flats)
    flats = sum(len(house.flats) for house in found.houses)
    seen = f"houses: {houses}, flats: {flats}" if flats else "nothing is ready"
    if found.remarks:
        seen = " ".join((f"{seen}.", *found.remarks))
        advice = "It can be read all the same. Report it: a real CRM was not known to answer so."
        return Finding(_row(category), Verdict.WARNING, seen, advice)
    return Finding(_row(category), Verdict.OK, seen)


def _compared(lists: Lists) -> Iterator[Finding]:
    """Findings from comparing the lists."""
    offers = {name: numbers for name, found in lists.items() if (numbers := _numbers(found))}
    if not offers:
        yield _nothing()
        return
    yield _filtered(offers)
    yield _shared(offers)
    yield _confusable([pair for found in lists.values() for pair in _look_alikes(found)])


def _numbers(found: ReadyFlats) -> set[Number]:
    return {(house.id, flat.number) for house in found.houses for flat in house.flats}


def _nothing() -> Finding:
    return Finding(
        "category filter",
        Verdict.WARNING,
        "nothing is ready in any category, so buyers can book nothing",
        "The CRM lists what has the status «Сделка проведена» and a date of actual readiness.",
    )


def _filtered(offers: Offers) -> Finding:
    twins = [pair for pair in combinations(offers, 2) if offers[pair[0]] == offers[pair[1]]]
    if not twins:
        return Finding("category filter", Verdict.OK, "no two categories have the same list")
    return Finding(
        "category filter",
        Verdict.WARNING,
        f"the same list for {'; for '.join(' and '.join(pair) for pair in twins)}",
        "The CRM seems not to filter by category. Ask MacroCRM; until then offer only one of these"
        " in BOOKING_CATEGORIES.",
    )


def _shared(offers: Offers) -> Finding:
    """Report numbers in several categories: normal, as a parking space may have a flat's number."""
    counts = Counter(number for numbers in offers.values() for number in numbers)
    shared = sorted(number for number, count in counts.items() if count > 1)
    if not shared:
        return Finding("same numbers", Verdict.OK, "each number stands in one category only")
    house_id, number = shared[0]
    return Finding(
        "same numbers",
        Verdict.OK,
        f"{len(shared)} stand in several categories, such as «{number}» in house {house_id};"
        " the site names the category in every booking",
    )


def _look_alikes(found: ReadyFlats) -> Iterator[str]:
    for house in found.houses:
        alike = defaultdict(list)
        for flat in house.flats:
            alike[folded(flat.number)].append(f"«{flat.label}»")
        yield from (
            f"{' and '.join(labels)} in house {house.id}"
            for labels in alike.values()
            if len(labels) > 1
        )


def _confusable(found: list[str]) -> Finding:
    if not found:
        return Finding("look-alikes", Verdict.OK, "no two numbers of a category look the same")
    more = f"; and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else ""
    return Finding(
        "look-alikes",
        Verdict.WARNING,
        "; ".join(found[:EXAMPLES]) + more,
        "Buyers are shown both and must choose. See whether one is a slip in the CRM.",
    )
