"""Bookings in figures: each a picture and, for those who do not see it, the same as a table.

Counted when asked, over a period of days back: bookings from the journal, what came before the
press of the button from the arrivals at each step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour, TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import wording
from booking.admin import bars, known_houses
from booking.admin.bars import Bar, Drawing
from booking.arrivals import OTHERS
from booking.models import Booking, Outcome, StepArrivals

PERIODS = (7, 30, 90, 365)
USUAL_PERIOD = 30
MOST_BARS = 15
# Of six bars each.
MOST_SOURCES = 8
ONE_KIND = "all"
# Up to so many days between booking and visit.
LEADS = (1, 2, 3, 5, 8, 15)


@dataclass(frozen=True, slots=True)
class Figure:
    """`kinds` are (kind, name) of the parts of each bar, in order."""

    title: str
    first_column: str
    kinds: Sequence[tuple[str, str]]
    bars: Sequence[Bar]
    drawing: Drawing
    note: str = ""

    @property
    def has_legend(self) -> bool:
        return len(self.kinds) > 1

    @property
    def table(self) -> list[tuple[str, list[int]]]:
        return [(bar.label, [count for _kind, count in bar.parts]) for bar in self.bars]


def show(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("booking.view_booking"):
        raise PermissionDenied
    days = _period(request)
    made = made_within(days)
    context = {
        **admin.site.each_context(request),
        "title": _("Figures"),
        "periods": PERIODS,
        "days": days,
        "figures": [
            by_day(made, days),
            by_house(made),
            by_hour(made),
            by_lead(made),
            by_source(made),
            step_by_step(made, days),
        ],
    }
    return render(request, "admin/booking/figures.html", context)


def made_within(days: int) -> QuerySet[Booking]:
    """Of the last so many days, today among them."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days - 1)
    return Booking.objects.filter(created_at__gte=since).order_by()


def by_day(made: QuerySet[Booking], days: int) -> Figure:
    counted = made.values_list(TruncDate("created_at"), "outcome").annotate(count=Count("pk"))
    found = {(day, outcome): count for day, outcome, count in counted}
    today = timezone.localdate()
    shown = [today - timedelta(days=back) for back in reversed(range(days))]
    drawn = [
        Bar(
            wording.day_of_month(day),
            [(kind, found.get((day, kind), 0)) for kind in Outcome.values],
        )
        for day in shown
    ]
    kinds = [(outcome.value, str(outcome.label)) for outcome in Outcome]
    return Figure(_("By day and outcome"), _("Day"), kinds, drawn, bars.columns(drawn))


def by_house(made: QuerySet[Booking]) -> Figure:
    counted = made.values_list("house_id").annotate(count=Count("pk")).order_by("-count")
    titles = known_houses.titles()
    rows = [(titles.get(house, house), count) for house, count in counted[:MOST_BARS]]
    return _plain(_("By house"), _("House"), rows)


def by_hour(made: QuerySet[Booking]) -> Figure:
    """Confirmed visits by the hour of the house's own clock."""
    visits = made.filter(outcome=Outcome.CONFIRMED, called_off_at=None)
    hours: Counter[int] = Counter()
    for zone in visits.values_list("time_zone", flat=True).distinct():
        hour = ExtractHour("starts_at", tzinfo=ZoneInfo(zone))
        there = visits.filter(time_zone=zone).values_list(hour).annotate(count=Count("pk"))
        hours.update(dict(there))
    span = range(min(hours), max(hours) + 1) if hours else range(0)
    rows = [(f"{hour:02}:00", hours[hour]) for hour in span]
    return _plain(_("Visits by hour"), _("Hour"), rows)


def by_lead(made: QuerySet[Booking]) -> Figure:
    lead = ExpressionWrapper(F("starts_at") - F("created_at"), DurationField())
    visits = made.filter(outcome=Outcome.CONFIRMED).annotate(lead=lead)
    counts = visits.aggregate(
        **{f"upto{days}": Count("pk", filter=Q(lead__lt=timedelta(days=days))) for days in LEADS},
        all=Count("pk"),
    )
    steps = [*(counts[f"upto{days}"] for days in LEADS), counts["all"]]
    names = [_("less than a day"), _("1 day"), _("2 days"), _("3–4 days"), _("5–7 days")]
    names += [_("8–14 days"), _("more")]
    each = [upto - before for upto, before in zip(steps, [0, *steps], strict=False)]
    return _plain(_("From booking to visit"), _("Time"), list(zip(names, each, strict=True)))


def by_source(made: QuerySet[Booking]) -> Figure:
    """How far bookings of each source got. Each bar's parts are those that got no further."""
    reached = made.values_list("source__utm_source", "source__ref").annotate(
        pressed=Count("pk"),
        answered=Count("pk", filter=~Q(outcome__in=(Outcome.SENDING, Outcome.NOT_SENT))),
        confirmed=Count("pk", filter=Q(outcome=Outcome.CONFIRMED)),
        stands=Count("pk", filter=Q(outcome=Outcome.CONFIRMED, called_off_at=None)),
    )
    kinds = [
        ("stands", _("confirmed and stands")),
        ("called_off", _("called off since")),
        ("unconfirmed", _("the CRM did not confirm")),
        ("not_sent", _("did not get to the CRM")),
    ]
    drawn = [
        Bar(
            _source_name(campaign or "", ref or ""),
            [
                ("stands", stands),
                ("called_off", confirmed - stands),
                ("unconfirmed", answered - confirmed),
                ("not_sent", pressed - answered),
            ],
        )
        for campaign, ref, pressed, answered, confirmed, stands in reached.order_by("-pressed")[
            :MOST_BARS
        ]
    ]
    title = _("How far bookings got, by source")
    return Figure(title, _("Source"), kinds, drawn, bars.rows(drawn))


def step_by_step(made: QuerySet[Booking], days: int) -> Figure:
    """From the first step to a confirmed visit, by source; of the sources that most came from."""
    came = _arrivals(days)
    booked = _bookings_by_source(made)
    stages = {
        source: [*came.get(source, (0, 0, 0)), *booked.get(source, (0, 0, 0))]
        for source in {*came, *booked}
    }
    busiest = sorted(stages, key=lambda source: (-max(stages[source]), source))[:MOST_SOURCES]
    kinds = [
        ("step1", _("came to step 1")),
        ("step2", _("came to step 2")),
        ("step3", _("came to step 3")),
        ("pressed", _("pressed the button")),
        ("answered", _("got to the CRM")),
        ("confirmed", _("confirmed")),
    ]
    drawn = [
        Bar(
            _source_name(*source),
            [(kind, count) for (kind, _name), count in zip(kinds, stages[source], strict=True)],
        )
        for source in busiest
    ]
    note = _(
        "Each arrival at a step is counted, and nobody is told apart: who comes back is counted"
        " again, and a link to a flat begins at step 2. So a later step may have more than an"
        " earlier one."
    )
    return Figure(_("Step by step, by source"), _("Source"), kinds, drawn, bars.groups(drawn), note)


Source = tuple[str, str]


def _arrivals(days: int) -> dict[Source, tuple[int, ...]]:
    """By source, how many came to steps 1, 2 and 3."""
    since = timezone.localdate() - timedelta(days=days - 1)
    rows = StepArrivals.objects.filter(day__gte=since).values_list("utm_source", "ref")
    steps = rows.annotate(
        **{f"step{step}": Sum("count", filter=Q(step=step), default=0) for step in (1, 2, 3)}
    )
    return {(utm_source, ref): tuple(counts) for utm_source, ref, *counts in steps}


def _bookings_by_source(made: QuerySet[Booking]) -> dict[Source, tuple[int, ...]]:
    """By source, how many bookings were made, got to the CRM, and were confirmed."""
    rows = made.values_list("source__utm_source", "source__ref").annotate(
        pressed=Count("pk"),
        answered=Count("pk", filter=~Q(outcome__in=(Outcome.SENDING, Outcome.NOT_SENT))),
        confirmed=Count("pk", filter=Q(outcome=Outcome.CONFIRMED)),
    )
    return {(utm_source or "", ref or ""): tuple(counts) for utm_source, ref, *counts in rows}


def _source_name(utm_source: str, ref: str) -> str:
    if (utm_source, ref) == OTHERS:
        return _("others")
    return " / ".join(filter(None, (utm_source, ref))) or _("no mark")


def _plain(title: str, first_column: str, rows: Iterable[tuple[str, int]]) -> Figure:
    drawn = [Bar(label, [(ONE_KIND, count)]) for label, count in rows]
    return Figure(title, first_column, [(ONE_KIND, _("Bookings"))], drawn, bars.rows(drawn))


def _period(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else USUAL_PERIOD
