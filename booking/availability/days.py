"""The days at a house and the times of a day, as they can be shown now."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from datetime import time as clock
from enum import StrEnum
from functools import lru_cache, partial
from operator import attrgetter
from zoneinfo import ZoneInfo

from booking import crm_budget
from booking.availability import cache, dates
from booking.availability.cache import Entry, Lookup
from booking.availability.dates import Span
from booking.availability.houses import ReadyHouse
from booking.crm import CRMClient, CRMError, CRMRefused
from booking.crm_client import crm_client

logger = logging.getLogger(__name__)

# Seconds since the CRM was asked. The day that is open is asked for again sooner than the others;
# an older one is waited for, since its times are likely to be gone.
OPENED_FRESH_FOR = 30
OPENED_SHOWN_FOR = 150
OTHERS_FRESH_FOR = 300
KEPT_FOR = 600
# How long a page waits for its days, in seconds. What is later is "not checked yet".
PAGE_BUDGET = 2.5
# How much longer one waits whose times are there: a script asks for the other days meanwhile.
OTHERS_BUDGET = 0.0
# For how long the days that are read in advance are waited for.
PREFETCH_WANTED_FOR = 10
# How many pages of days without a free time are passed over to find the first that has one.
PAGES_PASSED_OVER = 2


class StillReading(Exception):
    """The reading of a day has not ended in time."""


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


# The same days make the same object (`_page_of`): what is drawn of them can be kept beside it, and
# is found there without comparing fourteen days.
@dataclass(frozen=True, slots=True, eq=False)
class DaysPage:
    """Some consecutive days, and a day of the page before and after, if there is one."""

    days: tuple[Day, ...]
    earlier: date | None = None
    later: date | None = None


def days_page(
    house: ReadyHouse, chosen: date | None = None, *, times_are_enough: bool = False
) -> DaysPage:
    """The days around the chosen one; the first of which one has free time, if none can be chosen.

    A few full pages are passed over to find them, never the whole of a long horizon.

    They are asked side by side within the page's budget. A day that has not answered in time, or
    whose read failed, is UNKNOWN, never full; only the chosen one is waited for as long as the CRM
    may take. `times_are_enough`: the days after the one that opens may be UNKNOWN, too. Raises
    CRMError when every day failed.
    """
    give_up_at = time.monotonic() + PAGE_BUDGET
    if chosen not in dates.horizon(house.zone):
        chosen = None
    read = partial(_page, house, give_up_at=give_up_at, times_are_enough=times_are_enough)
    first = page = read(dates.span_with(house.zone, chosen), chosen)
    for _page_passed_over in range(PAGES_PASSED_OVER):
        is_full = all(day.state is DayState.FULL for day in page.days)
        if chosen or not is_full or page.later is None or time.monotonic() >= give_up_at:
            break
        try:
            page = read(dates.span_with(house.zone, page.later), None)
        except CRMError:
            break
    has_free = any(day.state is DayState.FREE for day in page.days)
    return page if has_free else _page_of(house.zone, first.days, first.earlier, page.later)


def prefetch(house: ReadyHouse) -> None:
    """Begin to read the days that a buyer of this house will ask for next, and wait for nothing."""
    recent, name = cache.recent(), ("prefetched", house.id)
    if name not in recent:
        recent[name] = True
        lookups = [
            _lookup(house.id, house.zone, date, urgency=2)
            for date in dates.span_with(house.zone, None).dates
        ]
        cache.get_many(lookups, wait_for=0, wanted_for=PREFETCH_WANTED_FOR)


def day(house: ReadyHouse, asked: date) -> Day:
    """One day at a house within the page's budget; UNKNOWN when it could not be read."""
    lookup = _lookup(house.id, house.zone, asked)
    [found] = cache.get_many([lookup], wait_for=PAGE_BUDGET)
    return _day(house, asked, found)


def nearest_starts(found: Iterable[Day], lost: datetime, count: int = 3) -> list[datetime]:
    """The free starts closest to one that is gone, in the order of the clock."""
    return dates.nearest((start for day in found for start in day.starts), lost, count)


def forget(house_id: str, asked: date) -> None:
    """Drop what is known of a day, because a booking may just have changed it."""
    cache.invalidate(key_of(house_id, asked))


def was_free(house_id: str, start: datetime) -> bool | None:
    """Whether a look of the last 30 s showed the start free; None if there was none."""
    key = key_of(house_id, start.date())
    seen = cache.known([key])[key]
    if seen is None or seen.error or seen.age > OPENED_FRESH_FOR:
        return None
    return _has(seen, start)


def is_offered(house: ReadyHouse, start: datetime) -> bool | None:
    """Whether a start can be booked by a look of the last 30 s or one made now; None: can't tell.

    Free alone is not enough: the whole visit must fit in, with the notice that a visit needs.
    Raises StillReading: that a queue is long is no reason to send what may never have been offered,
    and a CRM that wants a pause wants no booking either.
    """
    if crm_budget.pause():
        raise StillReading
    lookup = replace(_lookup(house.id, house.zone, start.date()), shown_for=0)
    [found] = cache.get_many([lookup], wait_for=cache.longest_read(), anew=True)
    if found is None:
        raise StillReading
    # After a failure, and while another process asks, what is found may be older.
    if found.age > OPENED_FRESH_FOR:
        return None
    shown = _day(house, start.date(), found)
    return None if shown.state is DayState.UNKNOWN else start in shown.starts


def is_free(house_id: str, start: datetime) -> bool | None:
    """Asks the CRM now, within the page's budget, whether a start is free; None: can't tell."""
    asked = start.date()
    forget(house_id, asked)
    lookup = replace(_lookup(house_id, ZoneInfo(str(start.tzinfo)), asked), shown_for=0)
    [found] = cache.get_many([lookup], wait_for=PAGE_BUDGET)
    return None if found is None or found.error else _has(found, start)


def _page(
    house: ReadyHouse,
    span: Span,
    chosen: date | None,
    *,
    give_up_at: float,
    times_are_enough: bool,
) -> DaysPage:
    """The days of one span, as far as they are known when the time is up.

    Raises CRMError when every day failed.
    """
    recent, name = cache.recent(), (house, span, chosen)
    if name not in recent:
        keys = {key_of(house.id, date): date for date in span.dates}
        entries = _entries(house, keys, chosen, give_up_at, times_are_enough)
        days = tuple(_day(house, date, entries[key]) for key, date in keys.items())
        page = _page_of(house.zone, days, span.earlier, span.later)
        if any(day.state is DayState.UNKNOWN for day in days):
            return page
        recent[name] = page
    found: DaysPage = recent[name]
    return found


def _entries(
    house: ReadyHouse,
    keys: dict[str, date],
    chosen: date | None,
    give_up_at: float,
    times_are_enough: bool,
) -> dict[str, Entry | None]:
    """What is known of some days when the time is up. Raises CRMError when every day failed."""
    known = cache.known(keys)
    lookups = _by_urgency(house, [_day(house, keys[key], known[key]) for key in keys], chosen)
    found = cache.get_many(lookups, wait_for=0, wanted_for=_left(give_up_at))
    if None in found:
        if chosen:
            cache.get_many(lookups[:1], wait_for=cache.longest_read())
        elif times_are_enough:
            _wait_for_free_day(house, keys, lookups, give_up_at)
        left = _left(give_up_at)
        wait_for = min(left, OTHERS_BUDGET) if times_are_enough else left
        found = cache.get_many(lookups, wait_for=wait_for)
    errors = [entry.error for entry in found if entry and entry.error]
    if len(errors) == len(found):
        raise copy(errors[0])
    # What was too old to be shown at once is better than nothing.
    for lookup, entry in zip(lookups, found, strict=True):
        known[lookup.key] = entry or known[lookup.key]
    return known


def _wait_for_free_day(
    house: ReadyHouse, keys: dict[str, date], lookups: Sequence[Lookup], give_up_at: float
) -> None:
    """Wait for one day after the other, all of which are being read, until one has free time."""
    by_key = {lookup.key: lookup for lookup in lookups}
    for key, asked in keys.items():
        [found] = cache.get_many([by_key[key]], wait_for=_left(give_up_at))
        if _day(house, asked, found).state is DayState.FREE:
            break


def _left(give_up_at: float) -> float:
    return max(0.0, give_up_at - time.monotonic())


def _by_urgency(house: ReadyHouse, seen: Sequence[Day], chosen: date | None) -> list[Lookup]:
    """The day that a page opens goes first, then those seen free, then the rest."""
    free = (day.date for day in seen if day.state is DayState.FREE)
    unknown = (day.date for day in seen if day.state is DayState.UNKNOWN)
    opened = chosen or next(free, next(unknown, seen[0].date))
    urgencies = [
        0 if day.date == opened else 1 if day.state is DayState.FREE else 2 for day in seen
    ]
    lookups = [
        _lookup(house.id, house.zone, day.date, urgency)
        for day, urgency in zip(seen, urgencies, strict=True)
    ]
    return sorted(lookups, key=attrgetter("urgency"))


# By zone, too: starts are equal when they are the same moment, whatever the clocks show.
@lru_cache(maxsize=512)
def _page_of(
    _zone: ZoneInfo, days: tuple[Day, ...], earlier: date | None, later: date | None
) -> DaysPage:
    return DaysPage(days, earlier, later)


def _day(house: ReadyHouse, asked: date, found: Entry | None) -> Day:
    if found is None or found.error:
        return Day(asked, DayState.UNKNOWN)
    times, explanation = found.value
    starts = dates.bookable_starts(asked, times or (), house.zone, house.visit_slots)
    return Day(asked, DayState.FREE if starts else DayState.FULL, starts, explanation)


def _has(found: Entry, start: datetime) -> bool | None:
    """Whether a day's answer lists a start; None for a day that the CRM declined."""
    times, _explanation = found.value
    return None if times is None else start.time() in times


def _lookup(house_id: str, zone: ZoneInfo, asked: date, urgency: int = 0) -> Lookup:
    """Without an urgency: of the day that is open."""
    client = crm_client()
    return Lookup(
        key=key_of(house_id, asked),
        read=lambda: _read(client, house_id, zone, asked),
        fresh_for=OTHERS_FRESH_FOR if urgency else OPENED_FRESH_FOR,
        shown_for=KEPT_FOR if urgency else OPENED_SHOWN_FOR,
        kept_for=KEPT_FOR,
        urgency=urgency,
    )


def _read(
    client: CRMClient, house_id: str, zone: ZoneInfo, asked: date
) -> tuple[tuple[clock, ...] | None, str]:
    """The times of a day and "", or None and why the CRM declines the day. Raises CRMError."""
    try:
        reply = client.free_times(house_id, asked, zone)
    except CRMRefused as exc:
        return None, exc.message
    for remark in reply.remarks:
        logger.warning("The times of %s: %s", asked, remark)
    return reply.times, ""


def key_of(house_id: str, asked: date) -> str:
    return cache.key_of("times", house_id, asked.isoformat())
