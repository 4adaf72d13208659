"""What can be booked: houses and flats, days and times. Reads only; shown, never promised.

Whatever is read here may be gone a second later: the CRM's answer to a booking is the truth. Reads
go through Django's cache (houses 5 minutes, a day's times 30 seconds), days are asked side by side,
and a page waits for them no longer than its budget.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from booking import models
from booking.crm import CRMError, CRMRefused, Flat, FreeTimes, ReadyHouse
from booking.flat_numbers import folded, natural_key
from booking.gateway import crm_client

HOUSES_FRESH_FOR = 300
TIMES_FRESH_FOR = 30
# How long a page waits for its days, in seconds. What is later is "not checked yet".
PAGE_BUDGET = 2.5
# The step of the CRM's grid, which it does not tell.
GRID_STEP = timedelta(minutes=30)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class House:
    """A house with flats that are ready, as a buyer sees it."""

    id: str
    title: str
    flats: tuple[Flat, ...]
    zone: ZoneInfo
    address: str = ""

    def flat(self, number: str) -> Flat | None:
        return next((flat for flat in self.flats if flat.number == number), None)

    def flats_like(self, typed: str) -> tuple[Flat, ...]:
        """The flats whose number reads like what a person typed: «кв. 12», "K-1" for «К-1»."""
        wanted = folded(typed)
        return tuple(flat for flat in self.flats if wanted and folded(flat.number) == wanted)


@dataclass(frozen=True, slots=True)
class Houses:
    """The houses of one category that have anything ready."""

    houses: tuple[House, ...]
    stand_in: bool

    def house(self, house_id: str) -> House | None:
        return next((house for house in self.houses if house.id == house_id), None)

    def houses_with(self, flat: str) -> tuple[House, ...]:
        return tuple(house for house in self.houses if house.flat(flat))


class DayState(StrEnum):
    FREE = "free"
    FULL = "full"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Day:
    """One day at a house: the starts that can still be booked, as aware wall times of the house."""

    date: date
    state: DayState
    starts: tuple[datetime, ...] = ()
    # The CRM's own words when it declines a day (C81), for the buyer to read.
    explanation: str = ""
    error: CRMError | None = field(default=None, compare=False)


def ready_houses(category: str) -> Houses:
    """The houses of a category with something ready, by title. Raises CRMError."""
    reply = _cached(
        f"houses:{category}", HOUSES_FRESH_FOR, lambda: crm_client().ready_flats(category)
    )
    known = {house.house_id: house for house in models.House.objects.all()}
    offered = (_offered(house, known.get(house.id)) for house in reply.houses if house.flats)
    return Houses(
        houses=tuple(sorted(offered, key=lambda house: natural_key(house.title))),
        stand_in=reply.stand_in,
    )


def zone_of(house_id: str) -> ZoneInfo:
    known = models.House.objects.filter(house_id=house_id).first()
    return known.zone if known else ZoneInfo(settings.TIME_ZONE)


def horizon(zone: ZoneInfo) -> list[date]:
    """The days that can be booked, from today at the house."""
    today = timezone.now().astimezone(zone).date()
    return [today + timedelta(days=offset) for offset in range(settings.BOOKING_HORIZON_DAYS)]


def days(house: House, chosen: date | None = None) -> list[Day]:
    """Every day of the horizon, asked side by side within the page's budget.

    A day that has not answered in time, or whose read failed, is UNKNOWN, never full; only the
    chosen one is waited for as long as the CRM may take. Raises CRMError when every day failed.
    """
    asked = sorted(horizon(house.zone), key=lambda day: day != chosen)
    futures = {day: _readers().submit(read_day, house.id, house.zone, day) for day in asked}
    wait(futures.values(), timeout=PAGE_BUDGET)
    if chosen in futures:
        wait([futures[chosen]], timeout=_longest_read())
    found = [_day_of(day, futures[day]) for day in sorted(futures)]
    errors = [day.error for day in found if day.error is not None]
    if found and len(errors) == len(found):
        raise errors[0]
    return found


def day(house: House, asked: date) -> Day:
    """One day at a house within the page's budget; UNKNOWN when it could not be read."""
    future = _readers().submit(read_day, house.id, house.zone, asked)
    wait([future], timeout=PAGE_BUDGET)
    return _day_of(asked, future)


def read_day(house_id: str, zone: ZoneInfo, asked: date) -> Day:
    """One day at a house. Raises CRMError, except that a declined day is full and says why."""
    try:
        reply = _cached(
            _times_key(house_id, asked),
            TIMES_FRESH_FOR,
            lambda: crm_client().free_times(house_id, asked, zone),
        )
    except CRMRefused as exc:
        return Day(asked, DayState.FULL, explanation=exc.message)
    starts = tuple(bookable_starts(asked, reply.times, zone))
    return Day(asked, DayState.FREE if starts else DayState.FULL, starts)


def bookable_starts(asked: date, times: Iterable[time], zone: ZoneInfo) -> Iterable[datetime]:
    """The starts with room for a whole visit, enough notice and an unmistakable wall time."""
    free = set(times)
    for start in sorted(free):
        wall = datetime.combine(asked, start)
        moment = bookable_moment(wall, zone)
        if moment is not None and _has_room(wall, free):
            yield moment


def bookable_moment(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The aware moment of a wall time that may be booked at all: within the horizon, with notice.

    A wall time which the zone skips or has twice that night is not offered: nobody could say which
    instant was meant (C87).
    """
    moment = wall.replace(tzinfo=zone)
    if moment.utcoffset() != moment.replace(fold=1).utcoffset():
        return None
    earliest = timezone.now() + timedelta(hours=settings.BOOKING_MIN_NOTICE_HOURS)
    return moment if moment >= earliest and wall.date() in horizon(zone) else None


def nearest_starts(found: Iterable[Day], lost: datetime, count: int = 3) -> list[datetime]:
    """The free starts closest to one that is gone, in the order of the clock."""
    starts = [start for day in found for start in day.starts if start != lost]
    return sorted(sorted(starts, key=lambda start: abs(start - lost))[:count])


def forget(house_id: str, asked: date) -> None:
    """Drop what is known of a day, because a booking may just have changed it."""
    cache.delete(_times_key(house_id, asked))


def was_free(house_id: str, start: datetime) -> bool | None:
    """Whether the last look at that day showed the start free; None if nobody has just looked."""
    seen: FreeTimes | None = cache.get(_times_key(house_id, start.date()))
    return None if seen is None else start.time() in seen.times


def is_free(house_id: str, start: datetime) -> bool | None:
    """Asks the CRM now, within the page's budget, whether a start is free; None: can't tell."""
    forget(house_id, start.date())
    zone = ZoneInfo(str(start.tzinfo))
    future = _readers().submit(read_day, house_id, zone, start.date())
    wait([future], timeout=PAGE_BUDGET)
    return (
        None
        if _day_of(start.date(), future).state is DayState.UNKNOWN
        else was_free(house_id, start)
    )


def _offered(house: ReadyHouse, known: models.House | None) -> House:
    return House(
        id=house.id,
        title=house.title,
        flats=tuple(sorted(house.flats, key=lambda flat: natural_key(flat.label))),
        zone=known.zone if known else ZoneInfo(settings.TIME_ZONE),
        address=known.address if known else "",
    )


def _has_room(wall: datetime, free: set[time]) -> bool:
    visit = (wall + GRID_STEP * step for step in range(settings.BOOKING_VISIT_SLOTS))
    return all(slot.date() == wall.date() and slot.time() in free for slot in visit)


def _day_of(asked: date, future: Future[Day]) -> Day:
    if not future.done():
        future.cancel()
        return Day(asked, DayState.UNKNOWN)
    try:
        return future.result()
    except CRMError as exc:
        return Day(asked, DayState.UNKNOWN, error=exc)


def _cached(key: str, seconds: int, load: Callable[[], T]) -> T:
    """The remembered answer, or a new one that is then remembered; an error is not."""
    known: T | None = cache.get(key)
    if known is None:
        known = load()
        cache.set(key, known, seconds)
    return known


def _times_key(house_id: str, asked: date) -> str:
    # A house's id is any text; memcached-safe keys are not.
    house = hashlib.sha256(house_id.encode()).hexdigest()[:16]
    return f"times:{house}:{asked.isoformat()}"


def _longest_read() -> float:
    return float(settings.MACROCRM_CONNECT_TIMEOUT + settings.MACROCRM_READ_TIMEOUT)


def _readers() -> ThreadPoolExecutor:
    """The threads of this process that may talk to the CRM for pages at once."""
    return _pool(settings.MACROCRM_CONCURRENCY)


@lru_cache(maxsize=4)
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=size, thread_name_prefix="crm-read")
