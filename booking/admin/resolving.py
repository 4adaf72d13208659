"""A person tells what became of a booking in doubt; the buyer's page tells it on."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from booking import handover, wording
from booking.models import Booking, Outcome


class ResolveForm(forms.Form):
    """What a person found out about a booking in doubt."""

    was_booked = forms.TypedChoiceField(
        label=_("Is it in the CRM?"),
        choices=[("yes", _("Yes, the visit is booked")), ("no", _("No, there is no such visit"))],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("How you know"),
        help_text=_("For your colleagues; the buyer does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )


def may_resolve(request: HttpRequest, booking: Booking) -> bool:
    in_doubt = booking.outcome == Outcome.IN_DOUBT
    return in_doubt and request.user.has_perm("booking.resolve_booking")


def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    booking = get_object_or_404(Booking, pk=pk)
    if not may_resolve(request, booking):
        raise PermissionDenied
    form = ResolveForm(request.POST or None)
    if form.is_valid():
        handover.resolve(booking, by=request.user.get_username(), **form.cleaned_data)
        return redirect("admin:booking_booking_change", pk)
    context = {
        **admin.site.each_context(request),
        "title": _("Resolve a booking in doubt"),
        "opts": Booking._meta,
        "booking": booking,
        "when": wording.day_and_time(booking.starts_at_local),
        "form": form,
    }
    return render(request, "admin/booking/booking/resolve.html", context)
