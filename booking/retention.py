"""Anonymise old bookings: personal data goes, statistics stay.

Phones and addresses become keyed hashes, so that repeats can still be counted. Without SECRET_KEY
a hash can't be reversed by trying all phones.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from booking.models import Booking, BookingEvent, FindAttempt, Outcome, StaffEvent, VisitRequest

SALT = "booking.retention"
AT_ONCE = 200


def due(days: int) -> QuerySet[Booking]:
    """Bookings made, and their visits over, more than `days` ago; none that is still being sent."""
    before = timezone.now() - timedelta(days=days)
    old = Booking.objects.filter(created_at__lt=before, starts_at__lt=before, anonymised_at=None)
    return old.exclude(outcome=Outcome.SENDING)


def anonymise(days: int, *, by: str) -> int:
    """Anonymise due bookings and return their number. Safe to stop, repeat and run in parallel."""
    done = 0
    while batch := list(due(days).order_by("created_at", "pk")[:AT_ONCE]):
        done += _anonymise(batch, days, by)
    return done


def anonymise_booking(booking: Booking) -> bool:
    """Remove personal data from a booking, its trail and its requests.

    Returns False if another run has done it.
    """
    with transaction.atomic():
        changed = Booking.objects.filter(pk=booking.pk, anonymised_at=None).update(
            phone="",
            phone_hash=keyed_hash(booking.phone.as_e164),
            client_address=None,
            client_address_hash=keyed_hash(booking.client_address or ""),
            anonymised_at=timezone.now(),
        )
        if changed:
            for event in booking.events.all():
                event.scrub()
            booking.change_requests.update(wish="", answer="")
            booking.note(BookingEvent.Kind.ANONYMISED, {})
    return bool(changed)


def anonymise_requests(days: int) -> int:
    """Remove personal data from requests for a visit made more than `days` ago."""
    before = timezone.now() - timedelta(days=days)
    old = VisitRequest.objects.filter(asked_at__lt=before, anonymised_at=None)
    return old.update(
        phone="", wish="", answer="", client_address=None, anonymised_at=timezone.now()
    )


def delete_find_attempts() -> None:
    """Delete attempts that no limit counts any more: LIMIT_WINDOW_MINUTES is a day at most."""
    FindAttempt.objects.filter(tried_at__lt=timezone.now() - timedelta(days=1)).delete()


def oldest(days: int) -> datetime | None:
    """When the oldest due booking was made."""
    return due(days).order_by("created_at").values_list("created_at", flat=True).first()


def keyed_hash(text: str) -> str:
    """64 hexadecimal digits; "" for ""."""
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest() if text else ""


def _anonymise(batch: list[Booking], days: int, by: str) -> int:
    """Anonymise a batch and record it, in one transaction."""
    with transaction.atomic():
        count = sum(anonymise_booking(booking) for booking in batch)
        if count:
            facts = {"older_than_days": days, "bookings": count}
            StaffEvent.objects.create(by=by, kind=StaffEvent.Kind.ANONYMISED, facts=facts)
    return count
