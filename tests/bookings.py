"""Bookings put straight into the journal, and the people who read it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability
from booking.models import Booking, ChangeRequest, StaffEvent
from booking.services.booking import BookingRequest

ZONE = "Asia/Yekaterinburg"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def tomorrow_at(hour: int, minute: int = 0) -> datetime:
    day = timezone.localtime() + timedelta(days=1)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def booking(**values: Any) -> Booking:
    """A confirmed visit of tomorrow at eleven, but for what is said otherwise."""
    usual = {
        "key": uuid.uuid4(),
        "outcome": "confirmed",
        "category": "flat",
        "house_id": "3105011",
        "house_title": "Лесной квартал, дом 1",
        "flat": "1.8-12-1",
        "starts_at": tomorrow_at(11),
        "time_zone": ZONE,
        "phone": "+79001234567",
        "deadline_at": timezone.now() + timedelta(minutes=1),
    }
    return Booking.objects.create(**usual | values)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def row(values: dict[str, Any]) -> Booking:
    """A booking; a span stands for the moment that long ago."""
    now = timezone.now()
    moments = {name: now - each for name, each in values.items() if isinstance(each, timedelta)}
    return booking(**values | moments)


def trail(made: Booking) -> list[tuple[str, dict[str, Any]]]:
    return [(event.kind, event.facts) for event in made.events.all()]


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(timezone.now() - moment) < timedelta(seconds=30)


def press_for(made: Booking, **changes: Any) -> BookingRequest:
    """A press in another browser for what a booking was made with, but for the changes."""
    house_id = changes.pop("house_id", made.house_id)
    usual = {
        "key": uuid.uuid4(),
        "category": made.category,
        "house": availability.unlisted(house_id, made.house_title),
        "flat": made.flat,
        "starts_at": made.starts_at.astimezone(ZoneInfo(ZONE)),
        "phone": PhoneNumber.from_string("+79001234567"),
    }
    return BookingRequest(**usual | changes)


def page_of(made: Booking) -> str:
    """A booking's page in the admin."""
    return reverse("admin:booking_booking_change", args=[made.pk])


def asked_to_cancel(made: Booking) -> ChangeRequest:
    return made.change_requests.create(kind="cancel", wish="Заболел")


def staff(name: str, group: str) -> Client:
    """Somebody of that group, logged in."""
    user = User.objects.create_user(name, password="example-password", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def done_with_bookings() -> QuerySet[StaffEvent]:
    """What staff did, without their logins and accounts, which a test begins with."""
    kinds = ("exported", "saw_phones", "anonymised", "searched_phone")
    return StaffEvent.objects.filter(kind__in=kinds)
