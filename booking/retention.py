"""Makes old bookings nobody's: what names a person goes, what counts stays.

Phones and addresses become keyed hashes: equal ones stay equal, so repeats can still be counted,
but without SECRET_KEY nobody can try all phones there are until one fits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from booking.models import Booking, BookingEvent, FindAttempt, Outcome, StaffEvent

SALT = "booking.retention"
AT_ONCE = 200


def due(days: int) -> QuerySet[Booking]:
    """Made, and their visit over, more than so many days ago. Nothing that is still being sent."""
    before = timezone.now() - timedelta(days=days)
    old = Booking.objects.filter(created_at__lt=before, starts_at__lt=before, anonymised_at=None)
    return old.exclude(outcome=Outcome.SENDING)


def anonymise(days: int, *, by: str) -> int:
    """Do it; returns how many. Safe to stop, to run again, and to run twice at once."""
    done = 0
    while batch := list(due(days).order_by("created_at", "pk")[:AT_ONCE]):
        done += _anonymise(batch, days, by)
    return done


def anonymise_booking(booking: Booking) -> bool:
    """Take away what names a person, here, on the trail and in requests; the rest stays.

    False: another run has done it already.
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


def delete_find_attempts() -> None:
    """Those that count for no limit any more; LIMIT_WINDOW_MINUTES is a day at most."""
    FindAttempt.objects.filter(tried_at__lt=timezone.now() - timedelta(days=1)).delete()


def oldest(days: int) -> datetime | None:
    """When the oldest of those due was made."""
    return due(days).order_by("created_at").values_list("created_at", flat=True).first()


def keyed_hash(text: str) -> str:
    """64 hexadecimal digits; of nothing, nothing."""
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest() if text else ""


def _anonymise(batch: list[Booking], days: int, by: str) -> int:
    """With the line that tells of it, or not at all."""
    with transaction.atomic():
        count = sum(anonymise_booking(booking) for booking in batch)
        if count:
            facts = {"older_than_days": days, "bookings": count}
            StaffEvent.objects.create(by=by, kind=StaffEvent.Kind.ANONYMISED, facts=facts)
    return count
