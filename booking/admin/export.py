"""Export the filtered log as a file, and record it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from booking.admin import audit, phones, tables, words
from booking.admin.staff_page import needs
from booking.database.timeouts import timeout
from booking.models import Booking
from booking.query import SOURCES

# A column's title and value.
Column = tuple[str, Callable[[Booking], tables.Cell]]

# Rows. XLSX allows a million, and the file is made before the first byte is sent.
MOST_IN_A_SPREADSHEET = 200_000
READ_AT_ONCE = 2000


@needs("booking.export_booking")
@timeout(settings.DATABASE_LONG_TIMEOUT)
def export(
    request: HttpRequest, log: admin.ModelAdmin[Booking], file_format: str
) -> HttpResponseBase:
    """Export all pages of the log under these filters."""
    if file_format not in tables.FORMATS:
        raise Http404
    try:
        bookings: QuerySet[Booking] = log.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        return redirect("admin:booking_booking_changelist")
    count = bookings.count()
    if file_format == "xlsx" and count > MOST_IN_A_SPREADSHEET:
        messages.error(request, _("Too many bookings for a spreadsheet: take them as CSV."))
        return redirect("admin:booking_booking_changelist")
    return _file(request, bookings, count, file_format)


def _file(
    request: HttpRequest, bookings: QuerySet[Booking], count: int, file_format: str
) -> HttpResponseBase:
    whole = audit.exported(request, audit.filters(request), file_format, count)
    name = f"bookings-{timezone.localtime():%Y-%m-%d-%H%M}"
    columns = _columns(whole=whole)
    header = [title for title, _value in columns]
    return tables.response(file_format, name, header, _rows(bookings, columns))


def _columns(*, whole: bool) -> list[Column]:
    return [
        (_("booking number"), lambda booking: booking.reference),
        (_("made at"), lambda booking: timezone.localtime(booking.created_at)),
        (_("state"), lambda booking: str(booking.state.label)),
        (_("cause"), lambda booking: words.reason(booking.reason)),
        (_("visit"), lambda booking: booking.starts_at_local),
        (_("time zone"), lambda booking: booking.time_zone),
        (_("called off at"), lambda booking: _there(booking, booking.called_off_at)),
        (_("moved at"), lambda booking: _there(booking, booking.moved_at)),
        (_("written down by"), lambda booking: booking.written_by),
        (_("house"), lambda booking: booking.house_title),
        (_("house id"), lambda booking: booking.house_id),
        (_("category"), lambda booking: booking.get_category_display()),
        (_("flat"), lambda booking: booking.flat),
        (_("phone"), lambda booking: phones.in_a_table(booking.phone, whole=whole)),
        (_("CRM, s"), lambda booking: booking.crm_seconds),
        (_("demonstration"), lambda booking: _("yes") if booking.stand_in else ""),
        (_("key"), lambda booking: str(booking.key)),
        *((name, partial(_source, name)) for name in SOURCES),
    ]


def _source(name: str, booking: Booking) -> str:
    return str(booking.source.get(name, ""))


def _there(booking: Booking, moment: datetime | None) -> datetime | None:
    """A moment in wall time of the house."""
    return moment and moment.astimezone(ZoneInfo(booking.time_zone))


def _rows(bookings: QuerySet[Booking], columns: list[Column]) -> Iterator[tables.Row]:
    """Yield a row for each booking, in the request's language, with few in memory."""
    language = translation.get_language()

    def translated() -> Iterator[tables.Row]:
        for booking in bookings.iterator(chunk_size=READ_AT_ONCE):
            # Rows of a stream are made after the request, whose language is gone.
            with translation.override(language):
                yield [value(booking) for _title, value in columns]

    return translated()
