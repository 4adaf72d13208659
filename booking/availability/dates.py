"""Days and times of a house, by arithmetic alone: nothing is asked and nothing is remembered here.

A wall time is naive and belongs to the house; a moment is aware, in the house's zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

# Each of them costs a call of the CRM.
DAYS_OF_A_PAGE = 14


@dataclass(frozen=True, slots=True)
class Span:
    """The days of one page, and a day of the page before and after it, if there is one."""

    dates: tuple[date, ...]
    earlier: date | None
    later: date | None


def today_at(zone: ZoneInfo) -> date:
    return timezone.now().astimezone(zone).date()


def horizon(zone: ZoneInfo) -> list[date]:
    """The days that can be booked, from today at the house."""
    today = today_at(zone)
    return [today + timedelta(days=offset) for offset in range(settings.BOOKING_HORIZON_DAYS)]


def span_with(zone: ZoneInfo, wanted: date | None) -> Span:
    """The page of the horizon that holds a day; the first one for a day outside the horizon."""
    dates = horizon(zone)
    place = dates.index(wanted) if wanted in dates else 0
    first = place - place % DAYS_OF_A_PAGE
    after = first + DAYS_OF_A_PAGE
    return Span(
        dates=tuple(dates[first:after]),
        earlier=dates[first - DAYS_OF_A_PAGE] if first else None,
        later=dates[after] if after < len(dates) else None,
    )


def bookable_moment(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment of a wall time that may be booked at all: within the horizon, with notice."""
    moment = unmistakable(wall, zone)
    ahead = (wall.date() - today_at(zone)).days
    if moment is None or not 0 <= ahead < settings.BOOKING_HORIZON_DAYS:
        return None
    return moment if moment >= _earliest() else None


def bookable_starts(
    day: date, times: Iterable[time], zone: ZoneInfo, slots: int = 0
) -> tuple[datetime, ...]:
    """The starts with enough notice and with room for a whole visit, in order.

    `slots` is how many the visit takes; 0: as many as everywhere.
    """
    earliest, step = _earliest(), settings.BOOKING_GRID_MINUTES
    moments = _visits(day, tuple(times), zone, slots or settings.BOOKING_VISIT_SLOTS, step)
    if moments and moments[0] >= earliest:
        return moments
    return tuple(moment for moment in moments if moment >= earliest)


def unmistakable(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment of a wall time, unless the zone skips it or has it twice that night (C87).

    Such a time is not offered: it does not say which moment is meant.
    """
    moment = wall.replace(tzinfo=zone)
    return moment if moment.utcoffset() == moment.replace(fold=1).utcoffset() else None


def nearest(starts: Iterable[datetime], lost: datetime, count: int) -> list[datetime]:
    """The starts closest to one that is gone, in the order of the clock."""
    others = (start for start in starts if start != lost)
    return sorted(sorted(others, key=lambda start: abs(start - lost))[:count])


# A page asks for fourteen days, and between two answers of the CRM they are always the same.
@lru_cache(maxsize=4096)
def _visits(
    day: date, times: tuple[time, ...], zone: ZoneInfo, slots: int, grid_minutes: int
) -> tuple[datetime, ...]:
    """The starts from which every slot of a visit is free, on the day and on the CRM's grid."""
    step = timedelta(minutes=grid_minutes)
    return tuple(_roomy(day, set(times), zone, [step * slot for slot in range(1, slots)]))


def _roomy(
    day: date, free: set[time], zone: ZoneInfo, lasts: list[timedelta]
) -> Iterator[datetime]:
    """The free starts after which the times that far later are free too."""
    is_plain = _is_plain(day, zone)
    for start in sorted(free):
        wall = datetime.combine(day, start)
        moment = wall.replace(tzinfo=zone) if is_plain else unmistakable(wall, zone)
        if moment is None:
            continue
        if all(_continues(moment, wall + passed, free) for passed in lasts):
            yield moment


def _is_plain(day: date, zone: ZoneInfo) -> bool:
    """Whether the clock goes on evenly from midnight to midnight: nearly always, and cheap to see.

    Nowhere does it change twice within a day and back.
    """
    midnight = datetime.combine(day, time(), zone)
    return midnight.utcoffset() == (midnight + timedelta(days=1)).replace(fold=1).utcoffset()


def _continues(start: datetime, wall: datetime, free: set[time]) -> bool:
    """Whether a later slot of a visit is free and no change of the clock lies in between."""
    zone = start.tzinfo
    if wall.date() != start.date() or wall.time() not in free or not isinstance(zone, ZoneInfo):
        return False
    moment = unmistakable(wall, zone)
    return moment is not None and moment.utcoffset() == start.utcoffset()


def _earliest() -> datetime:
    return timezone.now() + _notice()


def _notice() -> timedelta:
    return timedelta(hours=settings.BOOKING_MIN_NOTICE_HOURS)
