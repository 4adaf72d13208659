"""Check the free times of one day, and the HTTP methods that the reads accept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError

from booking.availability import unlisted
from booking.crm import CRMClient, CRMConfig, CRMError, FreeTimes, ListedHouse
from booking.crm_doctor.findings import Finding, Verdict, failure

METHODS = ("POST", "GET")


@dataclass(frozen=True, slots=True)
class Sample:
    """A day at a house, in the house's zone."""

    house: ListedHouse
    day: date
    zone: ZoneInfo

    def __str__(self) -> str:
        return f"house {self.house.id} «{self.house.title}», {self.day:%a %Y-%m-%d}, {self.zone}"


def check(config: CRMConfig, house: ListedHouse | None) -> Iterator[Finding]:
    if house is None:
        seen = "no house with anything ready to ask for"
        yield Finding("free times", Verdict.NOT_CHECKED, seen)
        yield _methods(config, None)
        return
    sample = _next_working_day(house)
    yield _free_times(config, sample)
    yield _methods(config, sample)


def _next_working_day(house: ListedHouse) -> Sample:
    zone = _zone(house)
    day = datetime.now(zone).date() + timedelta(days=1)
    while day.isoweekday() > 5:
        day += timedelta(days=1)
    return Sample(house, day, zone)


def _free_times(config: CRMConfig, sample: Sample) -> Finding:
    began_at = time.monotonic()
    try:
        found = CRMClient(config).free_times(sample.house.id, sample.day, sample.zone)
    except CRMError as error:
        return failure("free times", error)
    seconds = time.monotonic() - began_at
    told = f"{sample}: {_told(found.times)}; answered in {seconds:.2f} s"
    seen = " ".join((f"{told}.", *found.remarks)) if found.remarks else told
    advice = _doubts(found)
    if advice:
        return Finding("free times", Verdict.WARNING, seen, " ".join(advice))
    return Finding("free times", Verdict.OK, seen)


def _methods(config: CRMConfig, sample: Sample | None) -> Finding:
    """Try POST and GET for each read."""
    reads: dict[str, Callable[[CRMClient], object]] = {
        "getReadyFlats": lambda client: client.ready_flats(""),
    }
    if sample:
        where = (sample.house.id, sample.day, sample.zone)
        reads["getFreeTimes"] = lambda client: client.free_times(*where)
    work = {name: _methods_of(config, read) for name, read in reads.items()}
    seen = "; ".join(f"{name} by {' and '.join(found) or 'none'}" for name, found in work.items())
    in_all = [method for method in METHODS if all(method in found for found in work.values())]
    return _judged(config.method, seen, in_all)


def _judged(configured: str, seen: str, in_all: list[str]) -> Finding:
    if not in_all:
        advice = "No method works for all reads: see the rows above."
        return Finding("method", Verdict.WRONG, seen, advice)
    if configured not in in_all:
        return Finding("method", Verdict.WARNING, seen, f"Set MACROCRM_METHOD={in_all[0]}.")
    if configured == "GET" and "POST" in in_all:
        advice = "Set MACROCRM_METHOD=POST: a query, with its token, stands in the logs of proxies."
        return Finding("method", Verdict.WARNING, seen, advice)
    return Finding("method", Verdict.OK, seen)


def _methods_of(config: CRMConfig, read: Callable[[CRMClient], object]) -> list[str]:
    return [method for method in METHODS if _works(replace(config, method=method), read)]


def _works(config: CRMConfig, read: Callable[[CRMClient], object]) -> bool:
    client = CRMClient(config)
    try:
        read(client)
    except CRMError:
        return False
    # The client changes to GET by itself if POST is refused.
    return client.reads_by == config.method


def _zone(house: ListedHouse) -> ZoneInfo:
    """The house's zone; the installation's without a database."""
    try:
        return unlisted(house.id).zone
    except DatabaseError:
        return ZoneInfo(settings.TIME_ZONE)


def _told(times: tuple[wall_time, ...]) -> str:
    if not times:
        return "no free time"
    ends = f"{len(times)} free, {times[0]:%H:%M} to {times[-1]:%H:%M}"
    step = _step(times)
    return f"{ends}, {_minutes(step)} min apart at the closest" if step else ends


def _doubts(found: FreeTimes) -> list[str]:
    doubts = []
    if found.remarks:
        doubts.append("Report it: a real CRM was not known to answer so.")
    if not found.times:
        doubts.append("If the CRM's own calendar has room on that day, report it.")
    step, grid = _step(found.times), timedelta(minutes=settings.BOOKING_GRID_MINUTES)
    if step and (step % grid or (step > grid and settings.BOOKING_VISIT_SLOTS > 1)):
        doubts.append(
            f"BOOKING_GRID_MINUTES is {settings.BOOKING_GRID_MINUTES}, which matters if"
            " BOOKING_VISIT_SLOTS is more than 1."
        )
    return doubts


def _step(times: tuple[wall_time, ...]) -> timedelta | None:
    """The smallest gap between two starts: that of the grid, unless slots between are taken."""
    starts = [timedelta(hours=start.hour, minutes=start.minute) for start in times]
    return min((later - earlier for earlier, later in pairwise(starts)), default=None)


def _minutes(step: timedelta) -> int:
    return step // timedelta(minutes=1)
