"""The three steps, whose state is the URL.

A step reached with answers that do not hold sends the buyer to the step concerned: the answers stay
in the URL, and that step explains what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from booking import (
    availability,
    mangled_links,
    presenters,
    services,
    wording,
)
from booking.availability import DayState, ReadyHouse, ReadyHouses
from booking.client_address import client_address
from booking.crm import CRMError, ListedFlat, Reason
from booking.forms import ConfirmForm
from booking.models import Booking, VisitRequest
from booking.query import ANSWERS, SOURCES, UNREADABLE, BookingQuery
from booking.rate_limits import TooManyTries
from booking.services.booking import BookingRequest
from booking.views import cookies, times
from booking.views.cross_site import Refusal, form_token, own_forms_only

# As many as can be seen at once, on a screen.
FEW_HOUSES = 8
# Numbers that contain what was typed, shown after a miss: as many as fit a small phone's screen.
MOST_SUGGESTED = 12


@dataclass(frozen=True, slots=True)
class Place:
    """The house and flat of the answers, both as the CRM lists them."""

    house: ReadyHouse
    flat: str
    stand_in: bool


@never_cache
@require_safe
def choose_flat(request: HttpRequest) -> HttpResponse:
    asked = _as_meant(request)
    query = _readable(_with_offered_category(asked))
    houses = availability.ready_houses(query.category)
    query = _with_house_of_flat(query, houses)
    house = houses.house(query.house)
    if house:
        availability.prefetch(house)
    found = _flats_found(house, query.flat)
    if len(found) == 1:
        return redirect(query.replace(flat=found[0].number).after_flat_url())
    problem = _problem_with_place(asked, house)
    pressed = "flat" in request.GET
    error = _problem_with_number(asked, house) if house and pressed and not found else ""
    context = {
        "stand_in": houses.stand_in,
        "canonical_url": f"{request.scheme}://{request.get_host()}{reverse('booking:choose_flat')}",
        "question": wording.CATEGORY_QUESTIONS[query.category],
        "problem": problem,
        "error": error,
        "tabs": presenters.category_tabs(query),
        "category": query.category,
        "houses": houses,
        "are_many": len(houses.houses) > FEW_HOUSES,
        "request_url": query.request_url(VisitRequest.Cause.NOT_LISTED),
        "nothing_ready": wording.NOTHING_READY[query.category],
        "house": house,
    }
    if house:
        near = house.flats_near(query.flat) if error and settings.BOOKING_LIST_NUMBERS else ()
        context |= _choice_of_flat(query, house, found or near[:MOST_SUGGESTED])
    else:
        context["hidden"] = query.fields("category", "flat", "date", "start")
    return render(request, "booking/choose_flat.html", context)


def _choice_of_flat(
    query: BookingQuery, house: ReadyHouse, matches: Sequence[ListedFlat]
) -> dict[str, Any]:
    """What step 1 shows once a house is chosen; `matches` may be what was typed."""
    return {
        "recap": presenters.recap(query, house),
        "hidden": query.fields("category", "house", "date", "start"),
        "next_step": reverse("booking:confirm" if query.start else "booking:choose_time"),
        "label": wording.CATEGORY_LABELS[query.category],
        "typed": query.flat,
        "matches": presenters.match_choices(matches),
        "not_listed": wording.NOT_LISTED[query.category],
        "is_listed": settings.BOOKING_LIST_NUMBERS,
    }


@never_cache
@require_safe
def choose_time(request: HttpRequest) -> HttpResponse:
    query = _with_default_category(_as_meant(request))
    place = _place(query)
    if place is None:
        return redirect(query.choose_flat_url())
    house = place.house
    lost = times.wall_start(query, house)
    chosen = lost.date() if lost else query.day
    # In the place of a lost time the nearest ones of all days are shown.
    page = availability.days_page(house, chosen, times_are_enough=lost is None)
    problem = times.problem_with_time(query, house, page.days, lost)
    nearest = availability.nearest_starts(page.days, lost) if problem and lost else []
    mine = cookies.visit_of_flat(request, query)
    context = {
        "stand_in": place.stand_in,
        "mine": mine and presenters.visit_links([mine])[0],
        "problem": problem,
        "nearest": presenters.nearest_choices(nearest),
        "nearest_action": reverse("booking:confirm"),
        "recap": presenters.recap(query.replace(start=""), house, place.flat),
        "hidden": query.fields("category", "house", "flat"),
        "house": house,
        "days": page.days,
        "opened": times.day_to_open(page.days, chosen),
        "not_checked": any(day.state is DayState.UNKNOWN for day in page.days),
        "request_url": query.request_url(VisitRequest.Cause.FULL),
        "nothing_free": all(day.state is DayState.FULL for day in page.days),
        "earlier_url": presenters.day_url(query, page.earlier),
        "later_url": presenters.day_url(query, page.later),
    }
    return render(request, "booking/choose_time.html", context)


@never_cache
@require_safe
def list_days(request: HttpRequest) -> HttpResponse:
    """The days of step 2 alone, for its script: some had not been checked in time."""
    query = BookingQuery.read(request.GET)
    place = _place(query)
    if place is None:
        raise Http404
    page = availability.days_page(place.house, query.day)
    opened = times.day_to_open(page.days, query.day)
    context = {"days": page.days, "opened": opened, "house": place.house}
    return render(request, "booking/days.html", context)


def _form_refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Step 3 once more, with all that was typed. A body that was lost leaves the address."""
    query = BookingQuery.read(request.POST or request.GET)
    place = _place_if_readable(query)
    if place is None:
        return redirect(query.choose_flat_url())
    start = times.moment(query, place.house)
    if start is None:
        return redirect(query.choose_time_url())
    form = ConfirmForm(request.POST) if request.POST else None
    problem = _(
        "Your booking was not sent. {cause} Your choices are kept: check them and press the button"
        " once more."
    )
    page = _confirm_page(request, query, place, start, form, problem.format(cause=refusal.label))
    page.status_code = 403
    return page


@never_cache
@sensitive_post_parameters("phone")
@own_forms_only(_form_refused)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    return _book(request) if request.method == "POST" else _check_answers(request)


# Step 3


def _check_answers(request: HttpRequest) -> HttpResponse:
    query = _with_default_category(_as_meant(request))
    for made in cookies.bookings(request):
        if made.is_live and query.matches(made):
            # Gone back after booking: the time is gone, but to this very buyer.
            return redirect(made)
    place = _place(query)
    if place is None:
        return redirect(query.choose_flat_url())
    start = times.moment(query, place.house)
    if start is None or not times.may_be_free(place.house, start):
        return redirect(query.choose_time_url())
    # For the page that follows the booking, and for nobody to wait for.
    availability.categories_of(place.house.id)
    return _confirm_page(request, query, place, start, cookies.form_with_phone(request))


def _book(request: HttpRequest) -> HttpResponse:
    # The address names the answers, too: for a form whose body was lost on its way.
    query = BookingQuery.read(request.POST or request.GET)
    form = ConfirmForm(request.POST)
    place = _place_if_readable(query)
    start = times.moment(query, place.house) if place else None
    if place is None or start is None:
        step = query.choose_time_url() if place else query.choose_flat_url()
        return redirect(_made_already(query, form) or step)
    if not form.is_valid():
        return _confirm_page(request, query, place, start, form)
    asked = _booking_request(request, query, place, start, form)
    try:
        made = services.booking.book(asked)
    except TooManyTries as error:
        told = wording.too_many_tries(error.limit, error.until, error.seconds)
        page = _confirm_page(request, query, place, start, form, told)
        page.status_code = 429
        page.headers["Retry-After"] = str(error.seconds)
        return page
    return cookies.keep(request, redirect(_where_next(asked, made, query)), made, form.typed_phone)


def _booking_request(
    request: HttpRequest, query: BookingQuery, place: Place, start: datetime, form: ConfirmForm
) -> BookingRequest:
    return BookingRequest(
        key=form.booking_key,
        category=query.category,
        house=place.house,
        flat=place.flat,
        starts_at=start,
        phone=form.typed_phone,
        consent=wording.CONSENT_VERSION,
        source=query.source,
        client_address=client_address(request),
        stand_in=place.stand_in,
        known=cookies.bookings(request),
    )


def _made_already(query: BookingQuery, form: ConfirmForm) -> str | None:
    """The page of the booking that this form has made: it may have unlisted the flat."""
    made = services.booking.find(form.booking_key) if form.is_valid() else None
    if made is None:
        return None
    if query.matches(made) and made.phone == form.typed_phone:
        return made.get_absolute_url()
    return query.booking_url(made) if made.is_live else None


def _where_next(asked: BookingRequest, made: Booking, query: BookingQuery) -> str:
    """The booking's page; or, where the time was just taken, the place where another is chosen."""
    if not asked.matches(made):
        return query.booking_url(made)
    if made.reason == Reason.SLOT_TAKEN:
        return query.choose_time_url()
    return made.get_absolute_url()


def _confirm_page(
    request: HttpRequest,
    query: BookingQuery,
    place: Place,
    start: datetime,
    form: ConfirmForm | None,
    problem: str = "",
) -> HttpResponse:
    """Step 3, without a form as long as nothing is filled in; a problem goes before its errors."""
    if form and not form.has_key:
        form = form.with_new_key()
        if not form.errors:
            problem = problem or _("Please check everything and press the button once more.")
    context = {
        "stand_in": place.stand_in,
        "problem": problem,
        "recap": presenters.recap(query, place.house, place.flat, start),
        "clock": presenters.house_clock(start),
        "form_token": form_token(),
        "consented": cookies.has_just_consented(request),
        **presenters.confirm_form(query, start, form),
    }
    return render(request, "booking/confirm.html", context)


# What holds of the answers


def _as_meant(request: HttpRequest) -> BookingQuery:
    """The answers of the address; of one that was mangled, the first reading that holds the most.

    A value that holds as it is stays as it is, whatever it looks like. Raises CRMError.
    """
    literal = BookingQuery.read(request.GET)
    text = request.META.get("QUERY_STRING", "")
    found = [BookingQuery.read(each) for each in mangled_links.readings(text, (*ANSWERS, *SOURCES))]
    return literal if found == [literal] else max([literal, *found], key=_what_holds)


def _what_holds(asked: BookingQuery) -> tuple[bool, ...]:
    """Whether the category, house and flat of some answers are there, and a day can be read."""
    query = _with_offered_category(asked)
    houses = availability.ready_houses(query.category)
    house = houses.house(_with_house_of_flat(query, houses).house)
    is_category = asked.category in {"", query.category}
    is_flat = len(_flats_found(house, asked.flat)) == 1
    is_when = not (asked.start and not asked.wall_start) and not (asked.date and not asked.day)
    return is_category, house is not None, is_flat, is_when


def _with_default_category(query: BookingQuery) -> BookingQuery:
    return query if query.category else query.replace(category=settings.BOOKING_CATEGORIES[0])


def _with_offered_category(query: BookingQuery) -> BookingQuery:
    """The first category, if none is named; for one that is not offered, and without its number.

    Among things of another kind that number is somebody else's.
    """
    if not query.category or query.category in settings.BOOKING_CATEGORIES:
        return _with_default_category(query)
    return query.replace(category=settings.BOOKING_CATEGORIES[0], flat="")


def _readable(query: BookingQuery) -> BookingQuery:
    """Without what nobody can read or is blank, which must not go on in links."""
    names = ("flat", "date", "start")
    odd = [name for name in names if getattr(query, name).strip() in {"", UNREADABLE}]
    return query.replace(**dict.fromkeys(odd, ""))


def _with_house_of_flat(query: BookingQuery, houses: ReadyHouses) -> BookingQuery:
    """A link that names only the flat is enough where one house has it."""
    having = houses.houses_with(query.flat) if query.flat and not query.house else ()
    return query.replace(house=having[0].id) if len(having) == 1 else query


def _flats_found(house: ReadyHouse | None, typed: str) -> tuple[ListedFlat, ...]:
    """The flat that is listed exactly so, else all whose number reads like what was typed."""
    if house is None or not typed:
        return ()
    exact = house.flat(typed)
    return (exact,) if exact else house.flats_like(typed)


def _place(query: BookingQuery) -> Place | None:
    """What the answers name, if it is offered and listed. Raises CRMError."""
    if query.category not in settings.BOOKING_CATEGORIES:
        return None
    houses = availability.ready_houses(query.category)
    house = houses.house(query.house)
    flat = house.flat(query.flat) if house else None
    return Place(house, flat.number, houses.stand_in) if house and flat else None


def _place_if_readable(query: BookingQuery) -> Place | None:
    """As `_place`; but a list that can't be read just now is no reason not to book."""
    try:
        return _place(query)
    except CRMError:
        if not query.names_a_flat:
            raise
        return Place(availability.unlisted(query.house), query.flat, stand_in=False)


# What is wrong with the answers, in words


def _problem_with_place(asked: BookingQuery, house: ReadyHouse | None) -> str:
    if asked.category and asked.category not in settings.BOOKING_CATEGORIES:
        return _("This link can't be used for booking. Choose what you are receiving.")
    if asked.house and house is None:
        return _("The house of this link is not in the list now. Please choose your house.")
    if asked.flat == UNREADABLE and house is None:
        return _("The number of this link can't be read. Please choose.")
    if asked.flat.strip() and house is None:
        category = asked.category or settings.BOOKING_CATEGORIES[0]
        return str(wording.WHICH_HOUSE[category]).format(number=asked.flat)
    return ""


def _problem_with_number(asked: BookingQuery, house: ReadyHouse) -> str:
    if asked.category not in {"", *settings.BOOKING_CATEGORIES}:
        return ""  # said already
    if asked.flat == UNREADABLE:
        return _("This number can't be read. Enter it as it is in the contract.")
    if not asked.flat.strip():
        return _("Enter the number, as it is in the contract, or choose it from the list.")
    return wording.flat_not_listed(asked.category or settings.BOOKING_CATEGORIES[0], asked.flat)
