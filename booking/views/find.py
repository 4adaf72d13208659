""" "Already booked?": find a booking's page by its number and phone."""

from __future__ import annotations

import math
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from booking import finding, presenters
from booking.client_address import client_address
from booking.forms import FindForm
from booking.rate_limits import TooManyTries
from booking.views import cookies
from booking.views.cross_site import Refusal, form_token, own_forms_only


def _form_refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    refused = _(
        "We have not looked yet. {cause} What you typed is kept: press the button once more."
    )
    told = refused.format(cause=refusal.label)
    return _page(request, FindForm(request.POST), refused=told, status=403)


@never_cache
@sensitive_post_parameters("number", "phone")
@own_forms_only(_form_refused)
@require_http_methods(["GET", "HEAD", "POST"])
def find_booking(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, FindForm())
    form = FindForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        booking = finding.find(form.typed_number, form.typed_phone, client_address(request))
    except TooManyTries as limit:
        return _too_many(request, form, limit)
    return redirect(booking) if booking else _page(request, form, problem="not_found", status=422)


def _too_many(request: HttpRequest, form: FindForm, limit: TooManyTries) -> HttpResponse:
    # Rounded up to the minute that the page shows, so that the next try is not too early.
    page = _page(
        request,
        form,
        problem="too_many",
        minutes=math.ceil(limit.seconds / 60),
        until=timezone.localtime(limit.until) + timedelta(minutes=1),
        status=429,
    )
    page.headers["Retry-After"] = str(limit.seconds)
    return page


def _page(
    request: HttpRequest, form: FindForm, *, status: int = 200, **told: object
) -> HttpResponse:
    context = {
        "form": form,
        "form_token": form_token(),
        "visits": presenters.visit_links(cookies.bookings(request)),
        **told,
    }
    return render(request, "booking/find.html", context, status=status)
