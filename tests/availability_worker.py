"""Another process of the same site, which reads what can be booked as it is told.

`python -m tests.availability_worker`, with the site's own environment. It says "ready", then takes
a line at a time and answers it: `look HOUSE DAY` with how many times the day has, `houses` with how
many houses there are, `forget HOUSE DAY`.
"""

import sys
from datetime import date
from zoneinfo import ZoneInfo

import django


def main() -> None:
    django.setup()
    say("ready")
    for line in sys.stdin:
        say(answer(*line.split()))


def answer(command: str, house: str = "", day: str = "") -> object:
    from booking import availability
    from booking.availability import Flats, ReadyHouse

    if command == "houses":
        return len(availability.ready_houses("flat").houses)
    if command == "forget":
        availability.forget(house, date.fromisoformat(day))
        return "forgotten"
    here = ReadyHouse(house, "", Flats(), ZoneInfo("Asia/Yekaterinburg"))
    return len(availability.day(here, date.fromisoformat(day)).starts)


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
