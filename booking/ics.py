"""Visits as iCalendar files (RFC 5545).

Changes of a house are not versioned, so each download is a new revision: a calendar that has the
entry takes the newer one, cancellations included.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from booking import wording
from booking.models import Booking, House, VisitState

ALARMS = (timedelta(days=1), timedelta(hours=2))
# Shown for a visit of unknown length, which would be a moment otherwise.
USUAL_LENGTH = timedelta(hours=1)
AROUND = timedelta(days=2)


def build_ics(booking: Booking, house: House, url: str) -> bytes:
    """Build the file. A moved visit keeps its UID, so that the calendar has it once.

    It has no METHOD, which would make it an invitation by an organiser.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//key-handover//visit//RU")
    calendar.add("version", "2.0")
    calendar.add_component(_event(booking, house, url))
    # The whole history of a zone takes kilobytes; only these days matter.
    day = booking.starts_at_local.date()
    calendar.add_missing_timezones(day - AROUND, day + AROUND)
    return bytes(calendar.to_ical())


def _event(booking: Booking, house: House, url: str) -> Event:
    rows = booking.history()
    is_off = booking.state is VisitState.CALLED_OFF
    changes = len(rows) - 1 + is_off
    now = timezone.now()
    event = Event()
    event.add("uid", f"{rows[0].key}@key-handover")
    event.add("dtstamp", now)
    event.add("last-modified", now)
    event.add("sequence", int((now - rows[0].created_at).total_seconds()) + changes)
    event.add("dtstart", booking.starts_at_local)
    event.add("duration", house.visit_lasts or USUAL_LENGTH)
    event.add("summary", summary(booking))
    event.add("location", location(booking, house))
    event.add("description", "\n".join([*description(booking, house), url]))
    event.add("url", url)
    event.add("status", _status(booking))
    for before in ALARMS if booking.state is VisitState.EXPECTED else ():
        event.add_component(_alarm(before))
    return event


def _status(booking: Booking) -> str:
    """As certain as the booking's page is (RFC 5545, 3.8.1.11)."""
    if booking.state is VisitState.CALLED_OFF:
        return "CANCELLED"
    return "TENTATIVE" if booking.move_in_question() else "CONFIRMED"


def summary(booking: Booking) -> str:
    what = wording.object_name(booking.category, booking.flat)
    return _("Handover of the keys: {what}").format(what=what)


def location(booking: Booking, house: House) -> str:
    return ", ".join(filter(None, (house.address, booking.house_title)))


def description(booking: Booking, house: House) -> list[str]:
    phone = house.phone or settings.SUPPORT_PHONE
    lines = [_("Booking number: {number}").format(number=booking.reference)]
    lines += [house.directions] if house.directions else []
    lines.append(_("Bring: {things}").format(things="; ".join(wording.what_to_bring(house.bring))))
    lines += [_("Phone: {phone}").format(phone=phone)] if phone else []
    return lines


def _alarm(before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Handover of the keys"))
    alarm.add("trigger", -before)
    return alarm
