"""Step 2: the days, and the times of the one that is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby

from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from booking import pages, wording
from booking.availability import Day, DaysPage, DayState, House
from booking.forms import WALL_TIME, Answers
from booking.marks import GAP, Drawn, MarkedLinks, mark
from booking.prepared.pieces import Chip, choices, drawn_once, own_choices, support

# More of them on one day are shown by the part of the day.
FEW_TIMES = 8

DAY_LINKS = MarkedLinks("day")
TIME_LINKS = MarkedLinks("time")


@dataclass(frozen=True, slots=True)
class DayRow:
    weekday: str
    day: str
    state: DayState
    note: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """Times of a part of the day; without a label where they are few."""

    label: str
    times: list[Chip]


@dataclass(frozen=True, slots=True)
class DayWithTimes:
    full_label: str
    state: DayState
    explanation: str
    groups: list[TimeGroup]


def times(
    answers: Answers, house: House, flat: str, page: DaysPage, opened: Day | None, notice: str
) -> SafeString:
    """Step 2: what was chosen, the days, and the times of the one that is opened.

    `notice` is markup: what is wrong, if something is.
    """
    clock = pages.house_clock(timezone.now().astimezone(house.zone))
    own = {
        **own_choices(answers.but(start=""), flat),
        **DAY_LINKS.own(answers.but(date=GAP, start="").choose_time_url()),
        **TIME_LINKS.own(answers.but(start=GAP, date="").confirm_url()),
        "notice": notice,
        "clock_note": clock.note,
        "clock_moment": clock.iso,
        "clock_offset": str(clock.offset_minutes),
    }
    drawn = _times(
        answers.category,
        house,
        page,
        opened and opened.date,
        timezone.localdate().year,
        settings.SUPPORT_PHONE,
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=256)
def _times(
    category: str,
    house: House,
    page: DaysPage,
    opened: date | None,
    _this_year: int,
    phone: str,
    _language: str | None,
) -> Drawn:
    day = next((day for day in page.days if day.date == opened), None)
    context = {
        "notice": mark("notice"),
        "back_url": mark("to_flats"),
        "chosen": choices(category, house),
        "clock": {
            "note": mark("clock_note"),
            "iso": mark("clock_moment"),
            "offset_minutes": mark("clock_offset"),
        },
        "days": [_day_row(each, is_current=each is day) for each in page.days],
        "day": _with_times(day) if day else None,
        "earlier_url": _to_day(page.earlier),
        "later_url": _to_day(page.later),
        "find_url": mark("find_url"),
        "nothing_free": all(day.state is DayState.FULL for day in page.days),
        **support(phone),
    }
    return drawn_once("booking/_choose_time.html", context)


def _day_row(day: Day, *, is_current: bool) -> DayRow:
    return DayRow(
        weekday=wording.weekday(day.date),
        day=wording.day_and_month(day.date),
        state=day.state,
        note=wording.day_note(day),
        url=_to_day(day.date),
        is_current=is_current,
    )


def _to_day(day: date | None) -> str:
    return DAY_LINKS.to(day.isoformat()) if day else ""


def _with_times(day: Day) -> DayWithTimes:
    return DayWithTimes(
        full_label=wording.day_in_words(day.date),
        state=day.state,
        explanation=day.explanation,
        groups=_time_groups(day.starts),
    )


def _time_groups(starts: Sequence[datetime]) -> list[TimeGroup]:
    if len(starts) <= FEW_TIMES:
        parts = [("", starts)] if starts else []
    else:
        by_part = groupby(starts, key=wording.part_of_day)
        parts = [(label, list(of_part)) for label, of_part in by_part]
    return [TimeGroup(label, [_time(start) for start in of_part]) for label, of_part in parts]


def _time(start: datetime) -> Chip:
    url = TIME_LINKS.to(start.strftime(WALL_TIME))
    return Chip(wording.clock(start), url, wording.day_and_time(start))
