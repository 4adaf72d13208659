"""Links that open a visit as a new entry in a calendar on the web.

Neither service documents them; these parameters are the ones in common use. Yandex Calendar has no
such link that two sources agree on: its users open the file. What they tell leaves out the address
of the booking's page, which opens it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from booking import ics
from booking.models import Booking, House

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"


def google(booking: Booking, house: House) -> str:
    start, end = _in_utc(booking, house)
    told = {
        "action": "TEMPLATE",
        "text": ics.summary(booking),
        "dates": f"{start:%Y%m%dT%H%M%SZ}/{end:%Y%m%dT%H%M%SZ}",
        "location": ics.location(booking, house),
        "details": "\n".join(ics.description(booking, house)),
    }
    return f"{GOOGLE}?{urlencode(told)}"


def outlook(booking: Booking, house: House) -> str:
    start, end = _in_utc(booking, house)
    told = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": ics.summary(booking),
        "startdt": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "enddt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "location": ics.location(booking, house),
        "body": "\n".join(ics.description(booking, house)),
    }
    return f"{OUTLOOK}?{urlencode(told)}"


def _in_utc(booking: Booking, house: House) -> tuple[datetime, datetime]:
    start = booking.starts_at.astimezone(UTC)
    return start, start + (house.visit_lasts or ics.USUAL_LENGTH)
