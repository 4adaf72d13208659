"""Moving a visit: another time is chosen, checked and sent, or asked for."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from booking import availability, presenters, services, wording
from booking.availability import DayState, ReadyHouse
from booking.client_address import client_address
from booking.crm import Reason
from booking.models import Booking, ChangeRequest
from booking.query import BookingQuery
from booking.rate_limits import TooManyTries
from booking.services.booking import VisitChanged
from booking.views import cookies, receipt, times
from booking.views.cross_site import Refusal, form_token, own_forms_only


def _form_refused(request: HttpRequest, refusal: Refusal, key: uuid.UUID) -> HttpResponse:
    visit = receipt.find_or_404(key)
    start = times.moment(BookingQuery.read(request.POST or request.GET), _house(visit))
    if start is None:
        return redirect("booking:move_visit", key)
    refused = _("The visit was not moved. {cause} Press the button once more.")
    page = _check_page(request, visit, start, refused.format(cause=refusal.label))
    page.status_code = 403
    return page


@never_cache
@own_forms_only(_form_refused)
@require_http_methods(["GET", "HEAD", "POST"])
def move_visit(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The times to choose from; with `start` in the address, the page that moves by one press."""
    visit = receipt.find_or_404(key)
    if not presenters.can_be_moved(visit):
        return redirect(visit)
    house = _house(visit)
    query = BookingQuery.read(request.POST or request.GET)
    start = times.moment(query, house)
    if start is None or start == visit.starts_at:
        return _times_page(request, visit, house, query)
    if request.method == "POST":
        return _move(request, visit, start)
    if not times.may_be_free(house, start):
        return _times_page(request, visit, house, query)
    return _check_page(request, visit, start)


def _move(request: HttpRequest, visit: Booking, start: datetime) -> HttpResponse:
    if not settings.MACROCRM_ADD_MOVES:
        services.change_requests.ask(visit, ChangeRequest.Kind.MOVE, wanted_at=start)
        return redirect(f"{visit.get_absolute_url()}#change")
    try:
        made = services.booking.move(
            visit,
            start,
            key=_key(request),
            client_address=client_address(request),
            known=cookies.bookings(request),
        )
    except VisitChanged:
        return redirect(visit)
    except TooManyTries as error:
        told = wording.too_many_tries(error.limit, error.until, error.seconds)
        page = _check_page(request, visit, start, told)
        page.status_code = 429
        page.headers["Retry-After"] = str(error.seconds)
        return page
    if made.reason == Reason.SLOT_TAKEN:
        return redirect(presenters.move_url(visit, start))
    return cookies.keep(request, redirect(made), made, made.phone)


def _key(request: HttpRequest) -> uuid.UUID:
    """The form's key; a new one where a program sent none."""
    try:
        return uuid.UUID(str(request.POST.get("key", ""))[:36])
    except ValueError:
        return uuid.uuid4()


def _house(visit: Booking) -> ReadyHouse:
    house = availability.unlisted(visit.house_id, visit.house_title)
    return replace(house, zone=ZoneInfo(visit.time_zone))


def _times_page(
    request: HttpRequest, visit: Booking, house: ReadyHouse, query: BookingQuery
) -> HttpResponse:
    lost = times.wall_start(query, house)
    is_now = lost == visit.starts_at
    chosen = query.day or (lost or visit.starts_at_local).date()
    page = availability.days_page(house, chosen)
    problem = "" if is_now else times.problem_with_time(query, house, page.days, lost)
    nearest = availability.nearest_starts(page.days, lost) if problem and lost else []
    move_url = reverse("booking:move_visit", args=[visit.key])
    context = {
        "stand_in": visit.stand_in,
        "visit": visit,
        "problem": problem,
        "nearest": presenters.nearest_choices(nearest),
        "nearest_action": move_url,
        "now": wording.day_and_time(visit.starts_at_local),
        "house": house,
        "days": page.days,
        "opened": times.day_to_open(page.days, chosen),
        "nothing_free": all(day.state is DayState.FULL for day in page.days),
        "earlier_url": page.earlier and f"{move_url}?date={page.earlier}",
        "later_url": page.later and f"{move_url}?date={page.later}",
    }
    return render(request, "booking/move_times.html", context)


def _check_page(
    request: HttpRequest, visit: Booking, start: datetime, problem: str = ""
) -> HttpResponse:
    moves = settings.MACROCRM_ADD_MOVES
    label = _("Move to {when}") if moves else _("Ask to move to {when}")
    context = {
        "stand_in": visit.stand_in,
        "visit": visit,
        "problem": problem,
        "asks": not moves,
        "now": wording.day_and_time(visit.starts_at_local),
        "then": wording.day_and_time(start),
        "clock": presenters.house_clock(start),
        "start": f"{start:%Y-%m-%dT%H:%M}",
        "times_url": f"{reverse('booking:move_visit', args=[visit.key])}?date={start:%Y-%m-%d}",
        "key": uuid.uuid4(),
        "form_token": form_token(),
        "submit_label": label.format(when=wording.for_day_at(start)),
    }
    return render(request, "booking/move_check.html", context)
