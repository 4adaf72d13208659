"""Requests for a visit: the form, and the page of a request with its answer."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from booking import availability, presenters, services, wording
from booking.client_address import client_address
from booking.forms import RequestForm
from booking.models import VisitRequest
from booking.query import UNREADABLE, BookingQuery
from booking.rate_limits import TooManyTries
from booking.views.cross_site import Refusal, form_token, own_forms_only


def _form_refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    refused = _(
        "Your request was not sent. {cause} What you wrote is kept: press the button once more."
    )
    told = refused.format(cause=refusal.label)
    return _page(request, RequestForm(request.POST), problem=told, status=403)


@never_cache
@sensitive_post_parameters("phone")
@own_forms_only(_form_refused)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_visit(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, RequestForm(initial=_known(request)))
    form = RequestForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        asked = services.visit_requests.ask(_request(request, form))
    except TooManyTries as error:
        told = wording.too_many_tries(error.limit, error.until, error.seconds)
        page = _page(request, form, problem=told, status=429)
        page.headers["Retry-After"] = str(error.seconds)
        return page
    return redirect(asked)


@never_cache
@require_safe
def show_request(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    asked = get_object_or_404(VisitRequest, key=key)
    if asked.anonymised_at:
        raise Http404
    free = asked.in_house_time("free_start")
    query = BookingQuery(category=asked.category, house=asked.house_id, flat=asked.flat)
    context = {
        "asked": asked,
        "when": wording.on_moment(asked.in_house_time("asked_at")),
        "rows": presenters.request_rows(asked),
        "free": free and wording.day_and_time(free),
        "times_url": presenters.day_url(query, free.date()) if free else "",
    }
    return render(request, "booking/request.html", context)


def _known(request: HttpRequest) -> dict[str, object]:
    """What the address says of the house and flat, to be shown in the form."""
    query = BookingQuery.read(request.GET)
    cause = request.GET.get("cause", "")
    house_id = "" if query.house == UNREADABLE else query.house
    return {
        "key": uuid.uuid4(),
        "cause": cause if cause in VisitRequest.Cause.values else VisitRequest.Cause.NOT_LISTED,
        "category": query.category or settings.BOOKING_CATEGORIES[0],
        "house": house_id,
        "house_title": availability.known_title(house_id) if house_id else "",
        "flat": "" if query.flat == UNREADABLE else query.flat,
    }


def _request(request: HttpRequest, form: RequestForm) -> VisitRequest:
    given = form.cleaned_data
    return VisitRequest(
        key=given["key"],
        cause=given["cause"],
        category=given["category"],
        house_id=given["house"],
        house_title=given["house_title"],
        flat=given["flat"],
        phone=given["phone"],
        wish=given["wish"],
        waits=given["cause"] == VisitRequest.Cause.FULL,
        consent=wording.CONSENT_VERSION,
        client_address=client_address(request),
    )


def _page(
    request: HttpRequest, form: RequestForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    waits = form["cause"].value() == VisitRequest.Cause.FULL
    context = {"form": form, "form_token": form_token(), "problem": problem, "waits": waits}
    return render(request, "booking/request_form.html", context, status=status)
