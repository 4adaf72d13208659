"""What the buyer's own browser keeps for the last step: signed cookies, for that one page."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from phonenumber_field.phonenumber import PhoneNumber

from booking import handover
from booking.models import Booking

# The phone as typed, for the next try; and the last booking, for who goes back to the form.
PHONE = "phone"
PHONE_SECONDS = 30 * 60
BOOKING = "booking"
BOOKING_SECONDS = 24 * 3600


def phone(request: HttpRequest) -> PhoneNumber | None:
    text = request.get_signed_cookie(PHONE, default="", max_age=PHONE_SECONDS)
    return PhoneNumber.from_string(text) if text else None


def booking(request: HttpRequest) -> Booking | None:
    """The booking that this browser has made last."""
    text = request.get_signed_cookie(BOOKING, default="", max_age=BOOKING_SECONDS)
    return handover.find(uuid.UUID(text)) if text else None


def keep(response: HttpResponse, made: Booking, typed: PhoneNumber) -> HttpResponse:
    """Put both into the browser; the phone only while there may be another try."""
    _keep(response, BOOKING, str(made.key), BOOKING_SECONDS)
    if made.is_booked:
        response.delete_cookie(PHONE, path=reverse("booking:confirm"), samesite="Lax")
    else:
        _keep(response, PHONE, typed.as_e164, PHONE_SECONDS)
    return response


def _keep(response: HttpResponse, name: str, text: str, seconds: int) -> None:
    response.set_signed_cookie(
        name,
        text,
        max_age=seconds,
        path=reverse("booking:confirm"),
        secure=settings.CSRF_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
