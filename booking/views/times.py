"""The times of a page: which day it opens, and what is wrong with the time of its address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext as _

from booking import availability, wording
from booking.availability import Day, DayState, ReadyHouse
from booking.query import BookingQuery


def wall_start(query: BookingQuery, house: ReadyHouse) -> datetime | None:
    wall = query.wall_start
    return None if wall is None else wall.replace(tzinfo=house.zone)


def moment(query: BookingQuery, house: ReadyHouse) -> datetime | None:
    wall = query.wall_start
    return None if wall is None else availability.bookable_moment(wall, house.zone)


def may_be_free(house: ReadyHouse, start: datetime) -> bool:
    """Whether a start may be offered for confirmation: free, or its day can't be read just now."""
    day = availability.day(house, start.date())
    return day.state is DayState.UNKNOWN or start in day.starts


def day_to_open(days: Sequence[Day], chosen: date | None) -> Day | None:
    """The chosen day, else the first one with a free time."""
    asked = next((day for day in days if day.date == chosen), None)
    return asked or next((day for day in days if day.state is DayState.FREE), None)


def problem_with_time(
    query: BookingQuery, house: ReadyHouse, days: Sequence[Day], lost: datetime | None
) -> str:
    if lost:
        is_free = any(lost in day.starts for day in days)
        if is_free:
            return ""
        may_be_booked = moment(query, house) is not None
        return wording.time_taken(lost) if may_be_booked else wording.time_not_bookable(lost)
    if query.start:
        return _("The time of this link can't be understood. Please choose a time.")
    if query.date and query.day not in [day.date for day in days]:
        return _("The day of this link can't be booked. Please choose another.")
    return ""
