"""The visits of a day by house and time, to print and sign, or as a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import services, wording
from booking.admin import audit, phones, tables
from booking.admin.staff_page import needs, render_staff_page
from booking.models import Booking, House, VisitState, in_state

# A booking in doubt may be in the CRM, so its buyer may come.
MAY_TAKE_PLACE = (VisitState.EXPECTED, VisitState.OVER, VisitState.IN_DOUBT)
# The largest offset from UTC.
FURTHEST_ZONE = timedelta(hours=14)
# The last days of the calendar, where date arithmetic overflows.
YEARS = range(2000, 3000)
COLUMNS = (
    gettext_lazy("Time"),
    gettext_lazy("What"),
    gettext_lazy("Phone"),
    gettext_lazy("Booking number"),
    gettext_lazy("Remark"),
    gettext_lazy("Signature"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one house, below COLUMNS."""

    title: str
    address: str
    rows: list[list[str]]


@needs("booking.view_booking")
def show(request: HttpRequest) -> HttpResponse:
    day = _day(request)
    bookings = visits_on(day)
    audit.saw_phones(request, bookings)
    return render_staff_page(
        request,
        "day_sheet",
        title=_("Day sheet"),
        day=day,
        day_in_words=wording.day_in_words(day),
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        columns=COLUMNS,
        sheets=_sheets(bookings, whole=phones.may_see_whole(request)),
        may_export=request.user.has_perm("booking.export_booking"),
    )


@needs("booking.export_booking")
def download(request: HttpRequest, file_format: str) -> HttpResponseBase:
    if file_format not in tables.FORMATS:
        raise Http404
    day = _day(request)
    bookings = visits_on(day)
    filters = {"day": day.isoformat()}
    whole = audit.exported(request, filters, file_format, len(bookings))
    header = [_("House"), _("Address"), *map(str, COLUMNS)]
    sheets = _sheets(bookings, whole=whole)
    rows = [[sheet.title, sheet.address, *row] for sheet in sheets for row in sheet.rows]
    return tables.response(file_format, f"visits-{day.isoformat()}", header, rows)


def visits_on(day: date) -> list[Booking]:
    """The day's visits by time. The day is that of each house's wall clock."""
    services.settling.settle_overdue()
    midnight = datetime.combine(day, time(), UTC)
    around = Booking.objects.filter(
        in_state(*MAY_TAKE_PLACE, now=timezone.now()),
        starts_at__gte=midnight - FURTHEST_ZONE,
        starts_at__lt=midnight + timedelta(days=1) + FURTHEST_ZONE,
    )
    around = around.select_related("follows").prefetch_related("change_requests")
    found = [each for each in around if each.starts_at_local.date() == day]
    return sorted(found, key=lambda each: each.starts_at)


def _sheets(bookings: Iterable[Booking], *, whole: bool) -> list[Sheet]:
    """One sheet for each house id, sorted by title; a title may change between bookings."""
    addresses = dict(House.objects.values_list("house_id", "address"))
    of_each: defaultdict[str, list[Booking]] = defaultdict(list)
    for booking in bookings:
        of_each[booking.house_id].append(booking)
    sheets = [
        Sheet(
            _last_title(same) or house_id,
            addresses.get(house_id, ""),
            [_row(booking, whole=whole) for booking in same],
        )
        for house_id, same in of_each.items()
    ]
    return sorted(sheets, key=lambda sheet: sheet.title)


def _last_title(bookings: Iterable[Booking]) -> str:
    newest_first = sorted(bookings, key=lambda each: each.created_at, reverse=True)
    return next((each.house_title for each in newest_first if each.house_title), "")


def _row(booking: Booking, *, whole: bool) -> list[str]:
    return [
        wording.clock(booking.starts_at_local),
        wording.object_name(booking.category, booking.flat),
        phones.in_a_table(booking.phone, whole=whole),
        booking.reference,
        ", ".join(_remarks(booking)),
        "",
    ]


def _remarks(booking: Booking) -> Iterator[str]:
    if booking.state is VisitState.IN_DOUBT:
        yield str(booking.state.label)
    if before := booking.moved_from:
        was = before.starts_at_local
        yield _("moved from {when}").format(when=f"{was:%d.%m. %H:%M}")
    for asked in booking.change_requests.all():
        if asked.is_open:
            yield _("asked: {wish}").format(wish=asked.get_kind_display())
    if booking.stand_in:
        yield _("demonstration")


def _day(request: HttpRequest) -> date:
    """The requested day, else tomorrow."""
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = date.min
    return day if day.year in YEARS else timezone.localdate() + timedelta(days=1)
