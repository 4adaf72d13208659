"""Another worker of the same site: looks at some days, prints how many times it saw.

`python -m tests.availability_worker HOUSE DAY...`, with the site's own environment. It says "ready"
and waits for a line before it looks.
"""

import sys
from datetime import date
from zoneinfo import ZoneInfo

import django


def main(house: str, days: list[date]) -> None:
    django.setup()
    from booking import availability
    from booking.availability import Flats, House

    here = House(house, "", Flats(), ZoneInfo("Asia/Yekaterinburg"))
    say("ready")
    sys.stdin.readline()
    say(sum(len(availability.day(here, day).starts) for day in days))


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], [date.fromisoformat(day) for day in sys.argv[2:]])
