"""The queue of staff: doubts, flats with two visits, open requests, repeated refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, OrderBy, QuerySet
from django.db.models.lookups import LessThan
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import services, wording
from booking.admin import words
from booking.admin.staff_page import needs, render_staff_page
from booking.models import (
    Booking,
    BookingEvent,
    ChangeRequest,
    Outcome,
    VisitRequest,
    VisitState,
    in_state,
)

# Refusals of one flat or phone within a day that suggest a buyer in trouble.
MANY_REFUSALS = 3
REFUSALS_WITHIN = timedelta(days=1)
# More than one sitting handles; the counts show the rest.
MOST_SHOWN = 50
LOOKED_INTO = BookingEvent.Kind.LOOKED_INTO


@dataclass(frozen=True, slots=True)
class Repeated:
    """Refusals of one flat or phone, shown by the last one."""

    last: Booking
    count: int
    of: str
    cause: str


@dataclass(frozen=True, slots=True)
class Counts:
    in_doubt: int
    twice: int
    requests: int
    visit_requests: int
    repeated: int

    @property
    def total(self) -> int:
        requests = self.requests + self.visit_requests
        return self.in_doubt + self.twice + requests + self.repeated


def counts() -> Counts:
    """Count the queue now. Overdue bookings are settled first, whether or not cron has run."""
    services.settling.settle_overdue()
    return Counts(
        in_doubt=in_doubt().count(),
        twice=len(flats_with_two_visits()),
        requests=open_requests().count(),
        visit_requests=VisitRequest.objects.open().count(),
        repeated=len(list(repeated_refusals())),
    )


def in_doubt() -> QuerySet[Booking]:
    """Nearest visit first, because that buyer has the least time; past visits last."""
    return Booking.objects.in_doubt().order_by(_is_over("starts_at"), "starts_at", "pk")


def flats_with_two_visits() -> list[dict[str, Any]]:
    """The identifying fields of each such flat, nearest visit first.

    A flat in doubt may be booked by another phone (`services.booking.keeps_out`). If the
    doubt was a visit, there are two, of which the CRM keeps one.
    """
    flats = _visits_ahead().order_by().values("category", "house_id", "flat")
    twice = flats.alias(visits=Count("pk"), nearest=Min("starts_at")).filter(visits__gt=1)
    return [dict(flat) for flat in twice.order_by("nearest", "house_id", "flat")]


def _visits_ahead() -> QuerySet[Booking]:
    expected = in_state(VisitState.EXPECTED, now=timezone.now())
    return Booking.objects.filter(expected, anonymised_at=None).order_by("starts_at", "pk")


def open_requests() -> QuerySet[ChangeRequest]:
    visit = "booking__starts_at"
    requests = ChangeRequest.objects.waiting().select_related("booking")
    return requests.order_by(_is_over(visit), visit, "pk")


def unserved_demand() -> list[tuple[str, int]]:
    """How many requests for a visit of each house are open, the most first."""
    by_house = VisitRequest.objects.open().order_by().values("house_title")
    counted = by_house.annotate(count=Count("pk")).order_by("-count", "house_title")
    return [(each["house_title"], each["count"]) for each in counted]


def _is_over(visit: str) -> OrderBy:
    return LessThan(F(visit), timezone.now()).asc()


def repeated_refusals() -> Iterator[Repeated]:
    """Repeated refusals of the last day, each counted once: by its phone, else by its flat.

    Leaves out those booked since, and those dismissed by staff until the next refusal.
    """
    refused = Booking.objects.filter(
        outcome=Outcome.REFUSED, created_at__gt=timezone.now() - REFUSALS_WITHIN
    )
    of_phones = _often(refused, "phone")
    others = refused.exclude(phone__in=[same["phone"] for same in of_phones])
    for same in (*of_phones, *_often(others, "category", "house_id", "flat")):
        last = Booking.objects.get(pk=same.pop("last"))
        count = same.pop("count")
        booked = Booking.objects.filter(**same, outcome=Outcome.CONFIRMED, pk__gt=last.pk)
        if not booked.exists() and not last.events.filter(kind=LOOKED_INTO).exists():
            of = _("phone") if "phone" in same else _("flat")
            yield Repeated(last, count, of, words.reason(last.reason))


def _often(refused: QuerySet[Booking], *names: str) -> list[dict[str, Any]]:
    grouped = refused.values(*names).annotate(count=Count("pk"), last=Max("pk")).order_by("-count")
    return [dict(group) for group in grouped.filter(count__gte=MANY_REFUSALS)[:MOST_SHOWN]]


@needs("booking.view_booking")
def show(request: HttpRequest) -> HttpResponse:
    """Show the queue. Phones are masked for all users."""
    return render_staff_page(
        request,
        "needs_a_look",
        title=_("Needs a look"),
        counts=counts(),
        in_doubt=[
            (each, _when(each), words.reason(each.reason), Booking.objects.beside(each).first())
            for each in in_doubt()[:MOST_SHOWN]
        ],
        twice=[
            [
                (each, _when(each), wording.masked_phone(each.phone))
                for each in _visits_ahead().filter(**flat)
            ]
            for flat in flats_with_two_visits()[:MOST_SHOWN]
        ],
        requests=[
            (each, _when(each.booking), _wanted(each)) for each in open_requests()[:MOST_SHOWN]
        ],
        visit_requests=VisitRequest.objects.open().order_by("asked_at", "pk")[:MOST_SHOWN],
        demand=unserved_demand()[:MOST_SHOWN],
        repeated=[(each, wording.masked_phone(each.last.phone)) for each in repeated_refusals()],
        may_resolve=request.user.has_perm("booking.resolve_booking"),
        may_answer=request.user.has_perm("booking.answer_changerequest"),
    )


def _wanted(asked: ChangeRequest) -> str:
    """The time that the buyer has chosen, if any. Templates would show it in our own zone."""
    return wording.day_and_time(asked.wanted_at_local) if asked.wanted_at_local else ""


def _when(booking: Booking) -> str:
    return wording.day_and_time(booking.starts_at_local)
