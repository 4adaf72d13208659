"""Days and times by arithmetic: grid, visits, notice, changes of the clock, horizons."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from booking.availability import dates
from booking.availability.dates import bookable_moment, bookable_starts, horizon, span_with

URAL = ZoneInfo("Asia/Yekaterinburg")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
# The clock goes from 2:00 to 3:00 on the first, and from 3:00 back to 2:00 on the second.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.fixture
def now(monkeypatch):
    """Sets the clock; noon of 1 December 2026 in Yekaterinburg until it is called."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(datetime(2026, 12, 1, 12, tzinfo=URAL).astimezone(UTC))
    return set_to


def times(*clocks: str) -> list[time]:
    return [time.fromisoformat(clock) for clock in clocks]


def shown(starts) -> list[str]:
    return [f"{start:%H:%M}" for start in starts]


# Visits and the grid


def test_a_visit_of_one_slot_may_start_at_any_free_time(now):
    starts = bookable_starts(date(2026, 12, 2), times("09:00", "10:30", "09:30"), URAL)

    assert shown(starts) == ["09:00", "09:30", "10:30"]
    assert {str(start.tzinfo) for start in starts} == {"Asia/Yekaterinburg"}


def test_a_longer_visit_starts_where_all_its_slots_are_free(now, settings):
    settings.BOOKING_VISIT_SLOTS = 3
    free = times("09:00", "09:30", "10:00", "10:30", "11:30", "12:00", "12:30")

    starts = bookable_starts(date(2026, 12, 2), free, URAL)

    assert shown(starts) == ["09:00", "09:30", "11:30"]


def test_a_house_may_have_visits_of_its_own_length(now, settings):
    settings.BOOKING_VISIT_SLOTS = 3
    free = times("09:00", "09:30", "11:00")

    assert shown(bookable_starts(date(2026, 12, 2), free, URAL, slots=2)) == ["09:00"]
    assert shown(bookable_starts(date(2026, 12, 2), free, URAL)) == []


def test_the_grid_is_the_one_that_was_set(now, settings):
    settings.BOOKING_VISIT_SLOTS = 2
    settings.BOOKING_GRID_MINUTES = 20
    free = times("09:00", "09:20", "09:30", "10:00")

    assert shown(bookable_starts(date(2026, 12, 2), free, URAL)) == ["09:00"]


def test_a_visit_does_not_reach_into_the_next_day(now, settings):
    settings.BOOKING_VISIT_SLOTS = 2

    starts = bookable_starts(date(2026, 12, 2), times("00:00", "23:00", "23:30"), URAL)

    assert shown(starts) == ["23:00"]


# Today


def test_times_of_today_need_the_minimum_notice(now, settings):
    settings.BOOKING_MIN_NOTICE_HOURS = 2
    free = times("09:00", "13:30", "14:00", "14:30")

    assert shown(bookable_starts(date(2026, 12, 1), free, URAL)) == ["14:00", "14:30"]
    assert bookable_moment(datetime(2026, 12, 1, 13, 30), URAL) is None
    assert bookable_moment(datetime(2026, 12, 1, 14), URAL) == datetime(
        2026, 12, 1, 14, tzinfo=URAL
    )


def test_notice_may_reach_beyond_midnight(now, settings):
    settings.BOOKING_MIN_NOTICE_HOURS = 23

    starts = bookable_starts(date(2026, 12, 2), times("10:30", "11:00"), URAL)

    assert shown(starts) == ["11:00"]


def test_notice_is_counted_in_hours_that_pass_not_in_hours_of_the_clock(now, settings):
    settings.BOOKING_MIN_NOTICE_HOURS = 4
    # Midnight of the night in which an hour is skipped: four hours later it is five.
    now(datetime(2026, 3, 29, 0, tzinfo=BERLIN).astimezone(UTC))

    starts = bookable_starts(SPRING, times("04:00", "04:30", "05:00"), BERLIN)

    assert shown(starts) == ["05:00"]


@pytest.mark.parametrize(
    ("utc_hour", "zone", "today"),
    [
        (19, "Asia/Kamchatka", date(2026, 12, 2)),
        (19, "Asia/Yekaterinburg", date(2026, 12, 2)),
        (19, "Europe/Kaliningrad", date(2026, 12, 1)),
        (2, "America/New_York", date(2026, 11, 30)),
    ],
)
def test_today_is_the_day_at_the_house(now, settings, utc_hour, zone, today):
    now(datetime(2026, 12, 1, utc_hour, tzinfo=UTC))
    settings.BOOKING_HORIZON_DAYS = 3

    assert horizon(ZoneInfo(zone)) == [today + timedelta(days=ahead) for ahead in range(3)]


def test_what_lies_beyond_the_horizon_or_behind_cannot_be_booked(now, settings):
    settings.BOOKING_HORIZON_DAYS = 2

    assert bookable_moment(datetime(2026, 12, 2, 10), URAL) is not None
    assert bookable_moment(datetime(2026, 12, 3, 10), URAL) is None
    assert bookable_moment(datetime(2026, 11, 30, 10), URAL) is None


# Changes of the clock (cases C87, ambiguity A17)


@pytest.mark.parametrize(
    ("zone", "day", "certain", "doubtful"),
    [
        (BERLIN, SPRING, ("01:30", "03:00"), ("02:00", "02:30")),
        (BERLIN, AUTUMN, ("01:30", "03:00"), ("02:00", "02:30")),
        (NEW_YORK, date(2026, 3, 8), ("01:30", "03:00"), ("02:00", "02:30")),
        (NEW_YORK, date(2026, 11, 1), ("00:30", "02:00"), ("01:00", "01:30")),
        # A whole day was skipped when the islands crossed the date line.
        (ZoneInfo("Pacific/Apia"), date(2011, 12, 30), (), ("10:00", "15:00")),
        # Half an hour back, at two in the morning.
        (ZoneInfo("Australia/Lord_Howe"), date(2026, 4, 5), ("01:00", "02:00"), ("01:30", "01:45")),
    ],
)
def test_a_wall_time_that_is_skipped_or_doubled_is_not_offered(now, zone, day, certain, doubtful):
    now(datetime.combine(day, time(), UTC) - timedelta(days=3))

    starts = bookable_starts(day, times(*certain, *doubtful), zone)

    assert shown(starts) == list(certain)


def test_a_doubled_time_cannot_be_booked_by_its_address_either(now):
    now(datetime(2026, 10, 20, tzinfo=UTC))

    assert bookable_moment(datetime(2026, 10, 25, 2, 30), BERLIN) is None


def test_a_visit_does_not_reach_over_a_change_of_the_clock(now, settings):
    settings.BOOKING_VISIT_SLOTS = 2
    settings.BOOKING_GRID_MINUTES = 90
    now(datetime(2026, 3, 27, tzinfo=UTC))

    starts = bookable_starts(SPRING, times("00:00", "01:30", "03:00", "04:30"), BERLIN)

    assert shown(starts) == ["00:00", "03:00"]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_a_visit_does_not_last_into_a_time_that_is_skipped_or_doubled(now, settings, day):
    settings.BOOKING_VISIT_SLOTS = 2
    now(datetime.combine(day, time(), UTC) - timedelta(days=3))

    starts = bookable_starts(day, times("01:00", "01:30", "02:00"), BERLIN)

    assert shown(starts) == ["01:00"]


@pytest.mark.parametrize(
    ("day", "offset"), [(date(2026, 3, 28), 1), (SPRING, 2), (AUTUMN, 1), (date(2026, 10, 24), 2)]
)
def test_a_start_carries_the_offset_of_its_own_day(now, day, offset):
    now(datetime.combine(day, time(), UTC) - timedelta(days=3))

    [start] = bookable_starts(day, times("10:00"), BERLIN)

    assert start.utcoffset() == timedelta(hours=offset)


# Horizons longer than a page


def test_a_short_horizon_is_one_page(now, settings):
    settings.BOOKING_HORIZON_DAYS = 10

    span = span_with(URAL, None)

    assert span.dates == tuple(horizon(URAL))
    assert (span.earlier, span.later) == (None, None)


def test_a_page_holds_the_wanted_day_and_knows_its_neighbours(now, settings):
    settings.BOOKING_HORIZON_DAYS = 40
    first = date(2026, 12, 1)

    span = span_with(URAL, first + timedelta(days=20))

    assert span.dates[0] == first + timedelta(days=14)
    assert len(span.dates) == 14
    assert span.earlier == first
    assert span.later == first + timedelta(days=28)


def test_the_last_page_is_as_short_as_need_be(now, settings):
    settings.BOOKING_HORIZON_DAYS = 30

    span = span_with(URAL, date(2026, 12, 30))

    assert span.dates == (date(2026, 12, 29), date(2026, 12, 30))
    assert span.later is None


def test_following_the_pages_shows_every_day_once(now, settings):
    settings.BOOKING_HORIZON_DAYS = 120
    seen: list[date] = []
    wanted: date | None = date(2026, 12, 1)

    while wanted:
        span = span_with(URAL, wanted)
        seen += span.dates
        wanted = span.later

    assert seen == horizon(URAL)


def test_a_day_outside_the_horizon_leads_to_the_first_page(now):
    assert span_with(URAL, date(2020, 1, 1)) == span_with(URAL, None)


# Others, where one is gone


def test_the_nearest_starts_are_in_the_order_of_the_clock():
    lost = datetime(2026, 12, 2, 11, tzinfo=URAL)
    starts = [lost + timedelta(hours=hours) for hours in (-30, -2, 0, 1, 3, 48)]

    near = dates.nearest(starts, lost, 3)

    assert near == [lost + timedelta(hours=hours) for hours in (-2, 1, 3)]
