"""The page of a booking, at an unguessable address, and its actions."""

from __future__ import annotations

import uuid
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from booking import ics, presenters, qr_codes, services, wording
from booking.client_address import client_address
from booking.forms import ChangeForm
from booking.models import Booking, ChangeRequest, House, Outcome, VisitState
from booking.query import BookingQuery
from booking.views import cookies
from booking.views.cross_site import Refusal, View, form_token, own_forms_only

# Seconds between reloads of a page whose reply is under way; it comes within a few.
REFRESH_SECONDS = {VisitState.SENDING: 4, VisitState.IN_DOUBT: 20}


@never_cache
@require_safe
def show_booking(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    booking = find_or_404(key)
    now = booking.latest()
    is_back = now.starts_at == booking.starts_at
    if now != booking and (is_back or not now.is_to_come):
        # Moved back, called off since, or over: mentioning the move would mislead.
        return redirect(now)
    return _page(request, booking, ChangeForm())


@never_cache
@require_safe
def open_short_address(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    return redirect("booking:show_booking", key)


def _button(view: View) -> View:
    """Decorate a view that a button of the booking's page posts to. A GET leads back to that page:
    browsers keep the address in their history and request it on reload."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def pressed(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        if request.method != "POST":
            return redirect("booking:show_booking", key)
        return view(request, key)

    return pressed


def _again_refused(request: HttpRequest, refusal: Refusal, key: uuid.UUID) -> HttpResponse:
    refused = _("Your booking was not sent. {cause} Press the button once more.")
    told = refused.format(cause=refusal.label)
    return _page(request, find_or_404(key), ChangeForm(), refused=told)


def _wish_refused(request: HttpRequest, refusal: Refusal, key: uuid.UUID) -> HttpResponse:
    refused = _(
        "Your request was not sent. {cause} What you wrote is kept: press the button once more."
    )
    told = refused.format(cause=refusal.label)
    return _page(request, find_or_404(key), ChangeForm(request.POST), refused=told)


@never_cache
@own_forms_only(_again_refused)
@_button
def book_again(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The button on the page of a booking that was not sent."""
    booking = find_or_404(key)
    client, known = client_address(request), cookies.bookings(request)
    try:
        made = services.booking.book_again(booking, client, known)
    except services.booking.VisitChanged:
        return redirect(booking)
    if made is None:
        return redirect(BookingQuery.of(booking).choose_time_url())
    return cookies.keep(request, redirect(made), made, made.phone)


@never_cache
@own_forms_only(_wish_refused)
@_button
def ask_for_change(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Store a wish to move or cancel the visit for staff: the CRM's API takes none."""
    booking = find_or_404(key)
    form = ChangeForm(request.POST)
    if booking.is_to_come and not form.is_valid():
        return _page(request, booking, form)
    if booking.is_to_come:
        services.change_requests.ask(booking, form.asked_kind, form.asked_wish)
    # The wish's heading, which takes the focus.
    return redirect(f"{booking.get_absolute_url()}#change")


@never_cache
@require_safe
def calendar(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The visit's current calendar entry, if it is or was confirmed."""
    booking = find_or_404(key).latest()
    if booking.outcome != Outcome.CONFIRMED:
        raise Http404
    url = request.build_absolute_uri(booking.get_absolute_url())
    body = ics.build_ics(booking, House.for_id(booking.house_id), url)
    name = f"visit-{booking.starts_at_local:%Y-%m-%d}.ics"
    headers = {
        # An iPhone offers to add what is inline, and only saves an attachment; others save both.
        "Content-Disposition": f'inline; filename="{name}"',
        "X-Robots-Tag": "noindex",
    }
    return HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)


def _page(
    request: HttpRequest, booking: Booking, form: ChangeForm, *, refused: str = ""
) -> HttpResponse:
    zone = booking.starts_at_local.tzinfo
    wanted = BookingQuery.read(request.GET).wall_start
    told = presenters.booking_context(booking)
    here = cookies.bookings(request)
    others = [each for each in here if each != booking]
    requests = list(booking.change_requests.all())
    asked_for = wanted and wanted.replace(tzinfo=zone)
    short_url = request.build_absolute_uri(booking.get_short_url())
    context = {
        **told,
        "stand_in": booking.stand_in,
        "steps": wording.next_steps(booking, told["move"], can_call=told["can_call"]),
        "move_url": presenters.move_url(booking) if presenters.can_be_moved(booking) else "",
        "actions": presenters.booking_actions(booking),
        **presenters.mending(booking),
        "other_time": presenters.other_time(booking, asked_for),
        "other_url": presenters.move_url(booking, asked_for),
        "other_label": asked_for and _("Move to {when}").format(when=wording.clock(asked_for)),
        "clashing": presenters.clashing(booking, others),
        "others": presenters.visit_links(others) if booking in here else [],
        "companions": presenters.companions(booking) if told["is_expected"] else [],
        "short_url": short_url,
        "qr": qr_codes.draw(short_url),
        "changes": [presenters.change_shown(each) for each in requests],
        "change_form": form if _takes_wishes(booking, requests) else None,
        "form_token": form_token(),
        "refused": refused,
        "refresh_seconds": REFRESH_SECONDS.get(told["state"]),
    }
    return render(request, "booking/booking.html", context, status=403 if refused else 200)


def _takes_wishes(booking: Booking, requests: list[ChangeRequest]) -> bool:
    is_asked = any(each.is_open for each in requests)
    return booking.is_to_come and not is_asked and booking.pending_move() is None


def find_or_404(key: uuid.UUID) -> Booking:
    booking = services.booking.find(key)
    if booking is None:
        raise Http404
    return booking
