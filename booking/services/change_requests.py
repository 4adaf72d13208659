"""Takes the wishes of buyers: the CRM takes none, so they land with staff."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from booking import turns
from booking.models import Booking, BookingEvent, ChangeRequest


def ask(
    booking: Booking,
    kind: ChangeRequest.Kind,
    wish: str = "",
    *,
    wanted_at: datetime | None = None,
) -> bool:
    """Take a buyer's wish to move or cancel a visit; `wanted_at` is a time chosen for it.

    False: one waits for its answer already, or staff have just moved or cancelled the visit.
    """
    try:
        with transaction.atomic():
            turns.take("press")
            booking.refresh_from_db()
            if not booking.is_to_come:
                return False
            booking.change_requests.create(kind=kind, wish=wish, wanted_at=wanted_at)
            facts = {"wish": kind, "words": wish}
            if wanted_at:
                facts["wanted_at"] = wanted_at.isoformat(timespec="minutes")
            booking.note(BookingEvent.Kind.CHANGE_ASKED, facts)
    except IntegrityError:
        return False
    return True
