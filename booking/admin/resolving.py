"""A person tells what became of a booking in doubt, or of somebody who is refused all the time."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import handover, wording
from booking.admin import queue, words
from booking.admin.desk_page import needs, page
from booking.models import Booking, BookingEvent, Outcome


class ResolveForm(forms.Form):
    """What a person found out about a booking in doubt."""

    was_booked = forms.TypedChoiceField(
        label=gettext_lazy("Is it in the CRM?"),
        choices=[
            ("yes", gettext_lazy("Yes, the visit is booked")),
            ("no", gettext_lazy("No, there is no such visit")),
        ],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=gettext_lazy("How you know"),
        help_text=gettext_lazy("For your colleagues; the buyer does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )


class NoteForm(forms.Form):
    """What was done for somebody who is refused again and again."""

    note = forms.CharField(
        label=gettext_lazy("What you found or did"),
        help_text=gettext_lazy("For your colleagues; the buyer does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )


def may_resolve(request: HttpRequest, booking: Booking) -> bool:
    return booking.is_in_doubt and request.user.has_perm("booking.resolve_booking")


@needs("booking.resolve_booking")
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    booking = get_object_or_404(Booking, pk=pk)
    form = ResolveForm(request.POST or None)
    if not booking.is_in_doubt:
        return _not_in_doubt(request, booking)
    if form.is_valid():
        by = request.user.get_username()
        if not handover.resolve(booking, by=by, **form.cleaned_data):
            return _not_in_doubt(request, booking)
        messages.success(request, _("Resolved: {booking}").format(booking=booking))
        return _next_one()
    return _page(request, booking, form)


def _not_in_doubt(request: HttpRequest, booking: Booking) -> HttpResponse:
    """A colleague was quicker, or the CRM has answered: its page tells."""
    messages.info(request, _("This booking is not in doubt any more: nothing was changed."))
    return redirect("admin:booking_booking_change", booking.pk)


@needs("booking.resolve_booking")
def look_into(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes refusals off the queue; the last of them keeps the note."""
    booking = get_object_or_404(Booking, pk=pk, outcome=Outcome.REFUSED, anonymised_at=None)
    form = NoteForm(request.POST or None)
    if form.is_valid():
        handover.look_into(booking, by=request.user.get_username(), **form.cleaned_data)
        messages.success(request, _("Noted: {booking}").format(booking=booking))
        return redirect("admin:booking_needs_a_look")
    title = _("Refused again and again")
    return page(request, "look_into", title=title, form=form, **_about(booking))


def _next_one() -> HttpResponse:
    """The next booking in doubt, or the queue."""
    waiting = queue.in_doubt().first()
    if waiting is None:
        return redirect("admin:booking_needs_a_look")
    return redirect("admin:booking_booking_resolve", waiting.pk)


def _page(request: HttpRequest, booking: Booking, form: ResolveForm) -> HttpResponse:
    evidence = booking.events.filter(kind=BookingEvent.Kind.EVIDENCE).last()
    return page(
        request,
        "resolve",
        title=_("Resolve a booking in doubt"),
        evidence=list(words.of_event(evidence)) if evidence else [],
        form=form,
        **_about(booking),
    )


def _about(booking: Booking) -> dict[str, Any]:
    return {
        "opts": Booking._meta,
        "booking": booking,
        "when": wording.day_and_time(booking.starts_at_local),
        "phone": wording.masked_phone(booking.phone),
        "cause": words.reason(booking.reason),
        "beside": list(Booking.objects.beside(booking)),
    }
