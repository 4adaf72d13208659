"""Charts of bookings, each with the same figures as an accessible table.

Counted in the journal at each request, over the last days. A moved visit counts once, by its
current row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, ExtractHour, TruncDate
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import wording
from booking.admin import bars, known_houses
from booking.admin.bars import Bar, Drawing
from booking.admin.staff_page import needs, render_staff_page
from booking.database.timeouts import timeout
from booking.models import Booking, VisitState, in_state

PERIODS = (7, 30, 90, 365)
USUAL_PERIOD = 30
MOST_BARS = 15
ONE_KIND = "all"
# Upper bounds of days between booking and visit.
LEADS = (1, 2, 3, 5, 8, 15)
# The counted states, from the best to the worst.
STATES = (
    VisitState.EXPECTED,
    VisitState.OVER,
    VisitState.CALLED_OFF,
    VisitState.IN_DOUBT,
    VisitState.REFUSED,
    VisitState.NOT_SENT,
    VisitState.SENDING,
)
STANDING = (VisitState.EXPECTED, VisitState.OVER)
NOT_ANSWERED = (VisitState.SENDING, VisitState.NOT_SENT)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart. `kinds` are (kind, name) of the parts of each bar, in order."""

    title: str
    first_column: str
    kinds: Sequence[tuple[str, str]]
    bars: Sequence[Bar]
    drawing: Drawing

    @property
    def has_legend(self) -> bool:
        return len(self.kinds) > 1

    @property
    def table(self) -> list[tuple[str, list[int]]]:
        return [(bar.label, [count for _kind, count in bar.parts]) for bar in self.bars]


@needs("booking.view_booking")
@timeout(settings.DATABASE_LONG_TIMEOUT)
def show(request: HttpRequest) -> HttpResponse:
    days = _period(request)
    made = made_within(days)
    return render_staff_page(
        request,
        "figures",
        title=_("Figures"),
        periods=PERIODS,
        days=days,
        figures=[
            by_day(made, days),
            by_house(made),
            by_hour(made),
            by_lead(made),
            by_source(made),
        ],
    )


def made_within(days: int) -> QuerySet[Booking]:
    """Bookings of the last `days`, today included, without rows whose visit was moved."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=days - 1)
    return Booking.objects.filter(created_at__gte=since, moved_at=None).order_by()


def by_day(made: QuerySet[Booking], days: int) -> Figure:
    counted = made.values_list(TruncDate("created_at")).annotate(
        **{state: _count(state) for state in STATES}
    )
    found = {day: counts for day, *counts in counted}
    today = timezone.localdate()
    shown = [today - timedelta(days=back) for back in reversed(range(days))]
    nothing = [0] * len(STATES)
    drawn = [
        Bar(
            wording.day_of_month(day),
            list(zip(STATES, found.get(day, nothing), strict=True)),
        )
        for day in shown
    ]
    kinds = [(state.value, str(state.label)) for state in STATES]
    return Figure(_("By day and state"), _("Day"), kinds, drawn, bars.columns(drawn))


def by_house(made: QuerySet[Booking]) -> Figure:
    counted = made.values_list("house_id").annotate(count=Count("pk")).order_by("-count")
    titles = known_houses.titles()
    rows = [(titles.get(house, house), count) for house, count in counted[:MOST_BARS]]
    return _plain(_("By house"), _("House"), rows)


def by_hour(made: QuerySet[Booking]) -> Figure:
    """Confirmed visits by the hour in wall time of the house."""
    visits = made.filter(in_state(*STANDING, now=timezone.now()))
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
    visits = made.filter(in_state(*STANDING, now=timezone.now())).annotate(lead=lead)
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
    """How far bookings of each source got: each part of a bar got no further."""
    kinds = [
        ("stands", _("confirmed and stands")),
        ("called_off", _("called off since")),
        ("unconfirmed", _("the CRM did not confirm")),
        ("not_sent", _("did not get to the CRM")),
    ]
    drawn = [
        Bar(
            _source_name(utm_source, ref),
            [
                ("stands", stands),
                ("called_off", called_off),
                ("unconfirmed", answered - called_off - stands),
                ("not_sent", pressed - answered),
            ],
        )
        for utm_source, ref, pressed, answered, stands, called_off in _reached(made)[:MOST_BARS]
    ]
    title = _("How far bookings got, by source")
    return Figure(title, _("Source"), kinds, drawn, bars.rows(drawn))


# utm_source, ref and the counts.
Rows = QuerySet[Any, Any]


def _reached(made: QuerySet[Booking]) -> Rows:
    """Counts by source, busiest first: made, got to the CRM, standing, called off since."""
    # KT returns text, also for a value that JSON would read as a number.
    campaign = {
        name: Coalesce(KT(f"source__{name}"), Value(""), output_field=TextField())
        for name in ("utm_source", "ref")
    }
    marked: Rows = made.annotate(**campaign)
    counted: Rows = marked.values_list("utm_source", "ref").annotate(
        pressed=Count("pk"),
        answered=_count(*(state for state in STATES if state not in NOT_ANSWERED)),
        stands=_count(*STANDING),
        called_off=_count(VisitState.CALLED_OFF),
    )
    return counted.order_by("-pressed", "utm_source", "ref")


def _count(*states: VisitState) -> Count:
    return Count("pk", filter=in_state(*states, now=timezone.now()))


def _source_name(utm_source: str, ref: str) -> str:
    return " / ".join(filter(None, (utm_source, ref))) or _("no campaign")


def _plain(title: str, first_column: str, rows: Iterable[tuple[str, int]]) -> Figure:
    drawn = [Bar(label, [(ONE_KIND, count)]) for label, count in rows]
    return Figure(title, first_column, [(ONE_KIND, _("Bookings"))], drawn, bars.rows(drawn))


def _period(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else USUAL_PERIOD
