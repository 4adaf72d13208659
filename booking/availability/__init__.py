"""What can be booked: houses and flats, days and times. Reads only; shown, never promised.

Whatever is read here may be gone a second later: the CRM's answer to a booking is the truth. All
reads go through one cache: houses are fresh for 5 minutes, a day's times for
30 seconds; after that the old answer is shown while one caller asks anew.
"""

from booking.availability.dates import bookable_moment, horizon, unmistakable
from booking.availability.days import (
    Day,
    DaysPage,
    DayState,
    StillReading,
    day,
    days_page,
    forget,
    is_free,
    is_offered,
    nearest_starts,
    prefetch,
    was_free,
)
from booking.availability.houses import (
    Flats,
    ReadyHouse,
    ReadyHouses,
    categories_of,
    known_title,
    ready_houses,
    unlisted,
)

__all__ = [
    "Day",
    "DayState",
    "DaysPage",
    "Flats",
    "ReadyHouse",
    "ReadyHouses",
    "StillReading",
    "bookable_moment",
    "categories_of",
    "day",
    "days_page",
    "forget",
    "horizon",
    "is_free",
    "is_offered",
    "known_title",
    "nearest_starts",
    "prefetch",
    "ready_houses",
    "unlisted",
    "unmistakable",
    "was_free",
]
