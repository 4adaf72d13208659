"""Presses of the button, as the services take them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability
from booking.models import Booking
from booking.services.booking import BookingRequest
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE, Flat, shareholders
from tests.journey import FLAT, HOUSE

MINUTE = timedelta(minutes=1)


def press_at(start: datetime) -> BookingRequest:
    """The owner's press for the flat, of a client without an address."""
    return BookingRequest(
        key=uuid.uuid4(),
        category="flat",
        house=availability.unlisted(HOUSE, "Лесной квартал, дом 1"),
        flat=FLAT,
        starts_at=start,
        phone=PhoneNumber.from_string(ACCEPTED_PHONE),
        consent="2026-11-24",
        source={"ref": "site"},
        stand_in=True,
    )


def another(press: BookingRequest, **changes: Any) -> BookingRequest:
    """A press of another form."""
    return replace(press, key=uuid.uuid4(), **changes)


def wrong(press: BookingRequest) -> BookingRequest:
    """The same form with a phone that is none of the flat's."""
    return replace(press, phone=PhoneNumber.from_string(REFUSED_PHONE))


def other_phone(press: BookingRequest, number: int = 0) -> BookingRequest:
    """Another owner of the flat, in another browser."""
    phone = shareholders(HOUSE, Flat("flat", FLAT))[number]
    return another(press, phone=PhoneNumber.from_string(phone))


def later(press: BookingRequest, minutes: int = 30) -> datetime:
    return press.starts_at + timedelta(minutes=minutes)


def under_way(press: BookingRequest, *, deadline: timedelta = MINUTE) -> Booking:
    """The booking of a press while its call is under way, or past its deadline."""
    made = press.to_booking()
    made.holds_flat = True
    made.deadline_at = timezone.now() + deadline
    made.save()
    made.events.create(kind="sending")
    return made


def kinds(made: Booking) -> list[str]:
    """Its trail."""
    return [event.kind for event in made.events.all()]
