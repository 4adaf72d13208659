"""A visit as a calendar entry (RFC 5545)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from booking import wording
from booking.models import Booking, House

ALARMS = (timedelta(days=1), timedelta(hours=2))
# A visit without a length would be a moment; this is what a calendar then keeps free.
USUAL_LENGTH = timedelta(hours=1)


def of(booking: Booking, house: House, url: str) -> bytes:
    """The entry's file. The same booking always has the same UID, so an entry is never doubled."""
    calendar = Calendar()
    calendar.add("prodid", "-//key-handover//visit//RU")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(booking, house, url))
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(booking: Booking, house: House, url: str) -> Event:
    what = wording.object_name(booking.category, booking.flat)
    event = Event()
    event.add("uid", f"{booking.key}@key-handover")
    event.add("dtstamp", booking.settled_at or booking.created_at)
    event.add("dtstart", booking.starts_at_local)
    event.add("duration", _length(house))
    event.add("summary", _("Handover of the keys: {what}").format(what=what))
    event.add("location", ", ".join(filter(None, (house.address, booking.house_title))))
    event.add("description", "\n".join(_description(booking, house, url)))
    event.add("url", url)
    event.add("status", "CONFIRMED")
    for before in ALARMS:
        event.add_component(_alarm(before))
    return event


def _length(house: House) -> timedelta:
    return timedelta(minutes=house.visit_minutes) if house.visit_minutes else USUAL_LENGTH


def _description(booking: Booking, house: House, url: str) -> list[str]:
    phone = house.phone or settings.SUPPORT_PHONE
    lines = [_("Booking number: {number}").format(number=booking.reference)]
    lines += [house.directions] if house.directions else []
    lines.append(_("Bring: {things}").format(things="; ".join(wording.what_to_bring(house.bring))))
    lines += [_("Phone: {phone}").format(phone=phone)] if phone else []
    return [*lines, url]


def _alarm(before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Handover of the keys"))
    alarm.add("trigger", -before)
    return alarm
