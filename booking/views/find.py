""" "Already booked?": back to the page of a booking by its number and its phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from booking.forms import FindForm
from booking.models import Booking


@never_cache
@sensitive_post_parameters("number", "phone")
@require_http_methods(["GET", "HEAD", "POST"])
def find_booking(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, FindForm())
    form = FindForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    booking = Booking.objects.numbered(form.typed_number, form.typed_phone)
    return redirect(booking) if booking else _page(request, form, problem="not_found", status=422)


def _page(
    request: HttpRequest, form: FindForm, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {"form": form, "problem": problem}
    return render(request, "booking/find.html", context, status=status)
