"""Pages on which staff settle doubts, repeated refusals and requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, services, wording
from booking.admin import queue, words
from booking.admin.staff_page import needs, render_staff_page
from booking.admin.visit_forms import AnswerForm, CallerForm, NoteForm
from booking.models import Booking, BookingEvent, ChangeRequest, Outcome


class ResolveForm(NoteForm):
    was_booked = forms.TypedChoiceField(
        label=gettext_lazy("Is it in the CRM?"),
        choices=[
            ("yes", gettext_lazy("Yes, the visit is booked")),
            ("no", gettext_lazy("No, there is no such visit")),
        ],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    field_order = ("was_booked", "note")


def actions(request: HttpRequest, booking: Booking) -> dict[str, bool]:
    """What the user can do with a booking, by the names of the template."""
    may_resolve = request.user.has_perm("booking.resolve_booking")
    is_resolved = booking.reason == "resolved" and not booking.anonymised_at
    is_open = is_resolved and not booking.moved_at and not booking.called_off_at
    return {
        "can_resolve": may_resolve and booking.is_in_doubt,
        "can_correct": may_resolve and is_open,
        "can_change": booking.is_booked
        and not booking.anonymised_at
        and request.user.has_perm("booking.answer_changerequest"),
    }


@needs("booking.resolve_booking")
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    booking = get_object_or_404(Booking, pk=pk)
    form = ResolveForm(request.POST or None)
    if not booking.is_in_doubt:
        return _not_in_doubt(request, booking)
    if form.is_valid():
        by = request.user.get_username()
        if not services.settling.resolve(booking, by=by, **form.cleaned_data):
            return _not_in_doubt(request, booking)
        messages.success(request, _("Resolved: {booking}").format(booking=booking))
        return _to_next(queue.in_doubt(), "admin:booking_booking_resolve")
    evidence = booking.events.filter(kind=BookingEvent.Kind.EVIDENCE).last()
    return _page(
        request,
        booking,
        form,
        title=_("Resolve a booking in doubt"),
        press=_("Resolve"),
        task=_(
            "Look the flat up in the CRM: is there a handover at this time? The buyer's page will"
            " tell what you find, at once."
        ),
        facts=[
            (_("Cause"), words.reason(booking.reason)),
            (_("What we saw"), " ".join(words.describe_event(evidence)) if evidence else ""),
        ],
        beside=_beside(booking),
    )


@needs("booking.resolve_booking")
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Say otherwise about a booking that a person has resolved."""
    booking = get_object_or_404(Booking, pk=pk)
    form = NoteForm(request.POST or None)
    was_booked = booking.outcome != Outcome.CONFIRMED
    if not actions(request, booking)["can_correct"]:
        return _nothing_to_change(request, booking)
    if form.is_valid():
        by = request.user.get_username()
        if not services.settling.correct(
            booking, was_booked=was_booked, by=by, **form.cleaned_data
        ):
            return _nothing_to_change(request, booking)
        messages.success(request, _("Corrected: {booking}").format(booking=booking))
        return redirect("admin:booking_booking_change", pk)
    told = booking.events.filter(kind=BookingEvent.Kind.RESOLVED).last()
    is_booked = _("The visit is booked, after all")
    return _page(
        request,
        booking,
        form,
        title=_("Correct a resolution"),
        press=is_booked if was_booked else _("The visit is not booked, after all"),
        task=_("The buyer's page will tell the new outcome at once, and that it has changed."),
        facts=[
            (_("Outcome"), booking.get_outcome_display()),
            (_("What we saw"), " ".join(words.describe_event(told)) if told else ""),
        ],
        beside=_beside(booking),
    )


@needs("booking.answer_changerequest")
def change_visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Move or cancel a visit for a buyer who has called."""
    booking = get_object_or_404(Booking, pk=pk)
    if asked := booking.change_requests.waiting().first():
        return redirect("admin:booking_changerequest_answer", asked.pk)
    form = CallerForm(request.POST or None, booking=booking)
    if not actions(request, booking)["can_change"]:
        return _nothing_to_change(request, booking)
    if form.is_valid():
        try:
            return _change(request, booking, form)
        except services.visits.FlatHasVisit:
            form.add_error("becomes", _("This flat has another visit ahead: it can't be moved."))
    return _page(
        request,
        booking,
        form,
        title=_("Move or cancel a visit"),
        press=_("Change the visit"),
        task=_("First do it in the CRM: we can't. The buyer's page will tell it at once."),
    )


def _change(request: HttpRequest, booking: Booking, form: CallerForm) -> HttpResponse:
    """Raises FlatHasVisit."""
    by, note = request.user.get_username(), form.cleaned_data["note"]
    if not services.visits.change(booking, by=by, note=note, moved_to=form.moved_to):
        return _nothing_to_change(request, booking)
    if form.moved_to:
        _tell_of_new_time(request, booking.house_id, form.moved_to)
    else:
        messages.success(request, _("Called off: {booking}").format(booking=booking))
    return redirect("admin:booking_booking_change", booking.latest().pk)


def _nothing_to_change(request: HttpRequest, booking: Booking) -> HttpResponse:
    """Go to the booking: a colleague was quicker."""
    messages.info(request, _("This booking has changed meanwhile: nothing was done."))
    return redirect("admin:booking_booking_change", booking.pk)


@needs("booking.resolve_booking")
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Take refusals off the queue; the last one keeps the note."""
    booking = get_object_or_404(Booking, pk=pk, outcome=Outcome.REFUSED, anonymised_at=None)
    form = NoteForm(request.POST or None)
    if form.is_valid():
        services.settling.dismiss(booking, by=request.user.get_username(), **form.cleaned_data)
        messages.success(request, _("Noted: {booking}").format(booking=booking))
        return redirect("admin:booking_needs_a_look")
    return _page(
        request,
        booking,
        form,
        title=_("Refused again and again"),
        press=_("Off the queue"),
        task=_("Say what you found or did: it leaves the queue until the next refusal."),
        facts=[(_("Cause"), words.reason(booking.reason))],
    )


@needs("booking.answer_changerequest")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    asked = get_object_or_404(ChangeRequest.objects.select_related("booking"), pk=pk)
    form = AnswerForm(request.POST or None, booking=asked.booking, wanted_at=asked.wanted_at)
    if not asked.is_open:
        return _answered_already(request, asked)
    if form.is_valid():
        try:
            return _take(request, asked, form)
        except services.visits.FlatHasVisit:
            form.add_error("becomes", _("This flat has another visit ahead: it can't be moved."))
    return _page(
        request,
        asked.booking,
        form,
        title=_("Answer a request"),
        press=_("Answer the buyer"),
        facts=[
            (_("Wish"), asked.get_kind_display()),
            (_("Wanted time"), _wanted_time(asked)),
            (_("In the buyer's words"), asked.wish),
        ],
    )


def _wanted_time(asked: ChangeRequest) -> str:
    """The time that the buyer has chosen, and whether the CRM has it free just now."""
    start = asked.wanted_at_local
    if start is None:
        return ""
    is_free = availability.is_free(asked.booking.house_id, start)
    told = {
        True: _("{when}: free just now"),
        False: _("{when}: taken or not offered just now"),
        None: _("{when}: the CRM does not say whether it is free"),
    }
    return told[is_free].format(when=wording.day_and_time(start))


def _take(request: HttpRequest, asked: ChangeRequest, form: AnswerForm) -> HttpResponse:
    """Raises FlatHasVisit."""
    if not services.visits.answer(asked, by=request.user.get_username(), **form.taken):
        return _answered_already(request, asked)
    messages.success(request, _("Answered: {request}").format(request=asked))
    if form.moved_to:
        _tell_of_new_time(request, asked.booking.house_id, form.moved_to)
    return _to_next(queue.open_requests(), "admin:booking_changerequest_answer")


def _tell_of_new_time(request: HttpRequest, house_id: str, start: datetime) -> None:
    """Confirm the new time, with a warning if buyers would not be offered it."""
    messages.success(
        request, _("The visit is moved to {when}.").format(when=wording.for_day_at(start))
    )
    if availability.was_free(house_id, start) is False:
        messages.warning(
            request,
            _("By our last look, this time is taken or not offered. Is it right in the CRM?"),
        )


def _not_in_doubt(request: HttpRequest, booking: Booking) -> HttpResponse:
    """Go to the booking: a colleague was quicker, or the CRM has replied."""
    messages.info(request, _("This booking is not in doubt any more: nothing was changed."))
    return redirect("admin:booking_booking_change", booking.pk)


def _answered_already(request: HttpRequest, asked: ChangeRequest) -> HttpResponse:
    messages.info(request, _("This request has been answered already."))
    return redirect("admin:booking_changerequest_change", asked.pk)


def _to_next(waiting: QuerySet[Any], view: str) -> HttpResponse:
    """Redirect to the next of the same kind, or to the queue."""
    first = waiting.first()
    return redirect(view, first.pk) if first else redirect("admin:booking_needs_a_look")


def _beside(booking: Booking) -> list[tuple[Booking, str]]:
    """Other visits ahead of the flat, each with its time by the house's clock."""
    others = Booking.objects.beside(booking)
    return [(each, wording.day_and_time(each.starts_at_local)) for each in others]


def _page(request: HttpRequest, booking: Booking, form: forms.Form, **context: Any) -> HttpResponse:
    return render_staff_page(
        request,
        "resolve",
        booking=booking,
        when=wording.day_and_time(booking.starts_at_local),
        phone=wording.masked_phone(booking.phone),
        form=form,
        **context,
    )
