"""The days at a house and the times of a day, as they can be shown now."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from booking import models
from booking.availability import asking, calendar, memory
from booking.availability.asking import PutTogether, Question
from booking.availability.calendar import Span
from booking.availability.catalogue import Flats, House
from booking.availability.memory import Remembered
from booking.crm import CRMError, CRMRefused
from booking.gateway import crm_client

logger = logging.getLogger(__name__)

# In seconds. A stale day is shown for so long at most: the longer, the likelier its times are gone.
TIMES_FRESH_FOR = 30
TIMES_GOOD_FOR = 300
# How long a page waits for its days, in seconds. What is later is "not checked yet".
PAGE_BUDGET = 2.5
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


def days_page(house: House, chosen: date | None = None) -> DaysPage:
    """The days around the chosen one; the first of which one has free time, if none can be chosen.

    A few full pages are passed over to find them, never the whole of a long horizon.

    They are asked side by side within the page's budget. A day that has not answered in time, or
    whose read failed, is UNKNOWN, never full; only the chosen one is waited for as long as the CRM
    may take. Raises CRMError when every day failed.
    """
    deadline = time.monotonic() + PAGE_BUDGET
    if chosen not in calendar.horizon(house.zone):
        chosen = None
    first = page = _page(house, calendar.span_with(house.zone, chosen), chosen, PAGE_BUDGET)
    for _page_passed_over in range(PAGES_PASSED_OVER):
        left = deadline - time.monotonic()
        is_full = all(day.state is DayState.FULL for day in page.days)
        if chosen or not is_full or page.later is None or left <= 0:
            break
        try:
            page = _page(house, calendar.span_with(house.zone, page.later), None, left)
        except CRMError:
            break
    has_free = any(day.state is DayState.FREE for day in page.days)
    return page if has_free else _page_of(house.zone, first.days, first.earlier, page.later)


def day(house: House, asked: date) -> Day:
    """One day at a house within the page's budget; UNKNOWN when it could not be read."""

    def make() -> PutTogether[Day]:
        found = asking.look([_question(house.id, house.zone, asked)], patience=PAGE_BUDGET)
        shown = _day(asked, found[0], house)
        return PutTogether(shown, _stands_until([shown], found))

    return asking.put_together(("day", house, asked), 1, make)


def nearest_starts(found: Iterable[Day], lost: datetime, count: int = 3) -> list[datetime]:
    """The free starts closest to one that is gone, in the order of the clock."""
    return calendar.nearest((start for day in found for start in day.starts), lost, count)


def forget(house_id: str, asked: date) -> None:
    """Drop what is known of a day, because a booking may just have changed it."""
    asking.forget(_key(house_id, asked))


def was_free(house_id: str, start: datetime) -> bool | None:
    """Whether a recent look at that day showed the start free; None if nobody has just looked."""
    seen = asking.known(_key(house_id, start.date()))
    if seen is None or seen.error or seen.age > TIMES_FRESH_FOR:
        return None
    return _has(seen, start)


def is_offered(house_id: str, start: datetime) -> bool | None:
    """Whether a start can be booked by a look of the last 30 s or one made now; None: can't tell.

    Free alone is not enough: the whole visit must fit in, with the notice that a visit needs.
    Raises StillReading: that a queue is long is no reason to send what may never have been offered.
    """
    asked, zone = start.date(), ZoneInfo(str(start.tzinfo))
    [found] = asking.look(
        [_question(house_id, zone, asked)], patience=asking.longest_read(), stale_will_do=False
    )
    if found is None:
        raise StillReading
    # After a failure, and while another process asks, what is found may be older.
    if found.age > TIMES_FRESH_FOR:
        return None
    slots = models.House.about(house_id).visit_slots or 0
    shown = _day(asked, found, House(house_id, "", Flats(), zone, visit_slots=slots))
    return None if shown.state is DayState.UNKNOWN else start in shown.starts


def is_free(house_id: str, start: datetime) -> bool | None:
    """Asks the CRM now, within the page's budget, whether a start is free; None: can't tell."""
    asked = start.date()
    forget(house_id, asked)
    question = _question(house_id, ZoneInfo(str(start.tzinfo)), asked)
    [found] = asking.look([question], patience=PAGE_BUDGET)
    return None if found is None or found.error else _has(found, start)


def _page(house: House, span: Span, chosen: date | None, patience: float) -> DaysPage:
    """The days of one span, as far as they are known when the patience ends.

    Raises CRMError when every day failed.
    """

    def make() -> PutTogether[DaysPage]:
        found = _found(house, span, chosen, patience)
        _raise_if_all_failed(found)
        days = tuple(_day(date, each, house) for date, each in zip(span.dates, found, strict=True))
        page = _page_of(house.zone, days, span.earlier, span.later)
        return PutTogether(page, _stands_until(days, found))

    return asking.put_together(("page", house, span), len(span.dates), make)


def _found(
    house: House, span: Span, chosen: date | None, patience: float
) -> list[Remembered | None]:
    """What is known of the days when the patience ends, in their order."""
    order = sorted(span.dates, key=lambda date: date != chosen)
    questions = [_question(house.id, house.zone, date) for date in order]
    longest = asking.longest_read() if chosen in span.dates else 0.0
    found = asking.look(questions, patience=patience, first_patience=longest)
    by_date = dict(zip(order, found, strict=True))
    return [by_date[date] for date in span.dates]


def _raise_if_all_failed(found: Sequence[Remembered | None]) -> None:
    errors = [entry.error for entry in found if entry and entry.error]
    if len(errors) == len(found):
        raise copy(errors[0])


# By zone, too: starts are equal when they are the same moment, whatever the clocks show.
@lru_cache(maxsize=512)
def _page_of(
    _zone: ZoneInfo, days: tuple[Day, ...], earlier: date | None, later: date | None
) -> DaysPage:
    return DaysPage(days, earlier, later)


def _stands_until(days: Iterable[Day], found: Iterable[Remembered | None]) -> float:
    """When days have to be put together anew though nobody has written; 0: at once."""
    fresh = [entry.fresh_until if entry and not entry.error else 0.0 for entry in found]
    first_starts = [start for day in days for start in day.starts[:1]]
    return min(fresh + [calendar.last_offered_at(start).timestamp() for start in first_starts])


def _day(asked: date, found: Remembered | None, house: House) -> Day:
    if found is None or found.error:
        return Day(asked, DayState.UNKNOWN)
    times, explanation = found.answer
    starts = calendar.bookable_starts(asked, times or (), house.zone, house.visit_slots)
    return Day(asked, DayState.FREE if starts else DayState.FULL, starts, explanation)


def _has(found: Remembered, start: datetime) -> bool | None:
    """Whether a day's answer lists a start; None for a day that the CRM declined."""
    times, _explanation = found.answer
    return None if times is None else start.time() in times


def _question(house_id: str, zone: ZoneInfo, asked: date) -> Question:
    return Question(
        key=_key(house_id, asked),
        ask=lambda: _read(house_id, zone, asked),
        fresh_for=TIMES_FRESH_FOR,
        good_for=TIMES_GOOD_FOR,
    )


def _read(house_id: str, zone: ZoneInfo, asked: date) -> tuple[tuple[clock, ...] | None, str]:
    """The times of a day and "", or None and why the CRM declines the day. Raises CRMError."""
    try:
        reply = crm_client().free_times(house_id, asked, zone)
    except CRMRefused as exc:
        return None, exc.message
    for remark in reply.remarks:
        logger.warning("The times of %s: %s", asked, remark)
    return reply.times, ""


def _key(house_id: str, asked: date) -> str:
    return memory.key_of("times", house_id, asked.isoformat())
