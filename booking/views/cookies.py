"""Signed cookies of a buyer: the phone for the last step, and the last bookings."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import services, wording
from booking.forms import ConfirmForm
from booking.models import Booking
from booking.query import BookingQuery

# The phone is kept for the next try. The bookings link to their pages, and prove that this browser
# may try again where strangers have guessed.
PHONE = "phone"
PHONE_SECONDS = 30 * 60
BOOKINGS = "bookings"
BOOKINGS_SECONDS = 60 * 24 * 3600
# A flat, a parking space, two storage rooms, and one more.
MOST_BOOKINGS = 5


def form_with_phone(request: HttpRequest) -> ConfirmForm | None:
    """The form that books, with the phone of the last try; None without one."""
    text = request.get_signed_cookie(PHONE, default="", max_age=PHONE_SECONDS)
    if not text:
        return None
    return ConfirmForm(initial={"phone": PhoneNumber.from_string(text), "key": uuid.uuid4()})


def bookings(request: HttpRequest) -> tuple[Booking, ...]:
    """The last bookings of this browser, newest first; a moved visit as its newest row."""
    return tuple(booking.latest() for booking in services.booking.find_all(_keys(request)))


def visit_of_flat(request: HttpRequest, query: BookingQuery) -> Booking | None:
    """The visit ahead that this browser has booked for the flat of some answers, or may have."""
    names = ("category", "house_id", "flat")
    flat = dict(zip(names, (query.category, query.house, query.flat), strict=True))
    ahead = (each for each in bookings(request) if each.starts_at > timezone.now())
    return next((each for each in ahead if each.is_live and each.same_flat == flat), None)


def has_just_consented(request: HttpRequest) -> bool:
    """Whether the same consent was given here, with a booking of the last half an hour."""
    since = timezone.now() - timedelta(seconds=PHONE_SECONDS)
    recent = (each for each in bookings(request) if each.created_at > since)
    return any(each.consent == wording.CONSENT_VERSION for each in recent)


def keep(
    request: HttpRequest, response: HttpResponse, made: Booking, typed: PhoneNumber
) -> HttpResponse:
    """Set both cookies; the phone only while another try is likely, or a parking space besides."""
    if made.is_live:
        others = [key for key in _keys(request) if key != made.key]
        keys = " ".join(key.hex for key in [made.key, *others][:MOST_BOOKINGS])
        _keep(response, BOOKINGS, keys, BOOKINGS_SECONDS, path="/")
    if made.is_booked and len(settings.BOOKING_CATEGORIES) == 1:
        response.delete_cookie(PHONE, path=reverse("booking:confirm"), samesite="Lax")
    else:
        _keep(response, PHONE, typed.as_e164, PHONE_SECONDS, path=reverse("booking:confirm"))
    return response


def _keys(request: HttpRequest) -> list[uuid.UUID]:
    text = request.get_signed_cookie(BOOKINGS, default="", max_age=BOOKINGS_SECONDS)
    return [uuid.UUID(key) for key in (text or "").split()]


def _keep(response: HttpResponse, name: str, text: str, seconds: int, *, path: str) -> None:
    response.set_signed_cookie(
        name,
        text,
        max_age=seconds,
        path=path,
        secure=settings.CSRF_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
