"""More than one thing of a house: from the page of a visit on to the next one."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking import availability, presenters
from booking.models import Booking
from booking.query import WALL_TIME, BookingQuery
from booking.views import receipt


@never_cache
@require_safe
def book_another(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Step 1 in the same house, with the day and the first time after the visit chosen."""
    visit = receipt.find_or_404(key).latest()
    start = _right_after(visit)
    query = BookingQuery(
        category=BookingQuery.read(request.GET).category,
        house=visit.house_id,
        date=visit.starts_at_local.date().isoformat(),
        start=start.strftime(WALL_TIME) if start else "",
        source=visit.source,
    )
    return redirect(query.choose_flat_url())


def _right_after(visit: Booking) -> datetime | None:
    house = availability.unlisted(visit.house_id, visit.house_title)
    ends_at = visit.starts_at + presenters.length(house)
    day = availability.day(house, visit.starts_at.astimezone(house.zone).date())
    return next((start for start in day.starts if start >= ends_at), None)
