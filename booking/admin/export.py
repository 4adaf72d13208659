"""The filtered log as a file, and a line about who took it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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
from django.utils.translation import gettext_lazy

from booking.admin import audit, phones, tables, words
from booking.admin.desk_page import needs
from booking.database.timeouts import timeout
from booking.models import Booking, StaffEvent

MARKS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref")
COLUMNS = (
    gettext_lazy("booking number"),
    gettext_lazy("made at"),
    gettext_lazy("state"),
    gettext_lazy("cause"),
    gettext_lazy("visit"),
    gettext_lazy("time zone"),
    gettext_lazy("called off at"),
    gettext_lazy("moved at"),
    gettext_lazy("written down by"),
    gettext_lazy("house"),
    gettext_lazy("house id"),
    gettext_lazy("category"),
    gettext_lazy("flat"),
    gettext_lazy("phone"),
    gettext_lazy("CRM, s"),
    gettext_lazy("demonstration"),
    gettext_lazy("key"),
    *MARKS,
)
# A spreadsheet's own limit is a million, and it is made before the first byte is sent.
MOST_IN_A_SPREADSHEET = 200_000
READ_AT_ONCE = 2000


@needs("booking.export_booking")
@timeout(settings.DATABASE_LONG_TIMEOUT)
def export(
    request: HttpRequest, log: admin.ModelAdmin[Booking], file_format: str
) -> HttpResponseBase:
    """What the log shows under these filters, all pages of it."""
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
    whole = phones.may_see_whole(request)
    # Before the first row leaves: one that stops half way has been taken all the same.
    audit.note(
        request,
        StaffEvent.Kind.EXPORTED,
        filters=audit.filters(request),
        format=file_format,
        bookings=count,
        phones="whole" if whole else "masked",
    )
    name = f"bookings-{timezone.localtime():%Y-%m-%d-%H%M}"
    header = [str(column) for column in COLUMNS]
    return tables.response(file_format, name, header, rows(bookings, whole=whole))


def rows(bookings: QuerySet[Booking], *, whole: bool) -> Iterator[tables.Row]:
    """A row for each booking, in the language of the one who asks, few of them in memory."""
    language = translation.get_language()

    def translated() -> Iterator[tables.Row]:
        for booking in bookings.iterator(chunk_size=READ_AT_ONCE):
            # The rows of a streamed file are made after the request's language is gone.
            with translation.override(language):
                yield _row(booking, whole=whole)

    return translated()


def _row(booking: Booking, *, whole: bool) -> tables.Row:
    return [
        booking.reference,
        timezone.localtime(booking.created_at),
        str(booking.state.label),
        words.reason(booking.reason),
        booking.starts_at_local,
        booking.time_zone,
        _there(booking, booking.called_off_at),
        _there(booking, booking.moved_at),
        booking.written_by,
        booking.house_title,
        booking.house_id,
        booking.get_category_display(),
        booking.flat,
        phones.in_a_table(booking.phone, whole=whole),
        booking.crm_seconds,
        _("yes") if booking.stand_in else "",
        str(booking.key),
        *(booking.source.get(mark, "") for mark in MARKS),
    ]


def _there(booking: Booking, moment: datetime | None) -> datetime | None:
    """By the clock of the house."""
    return moment and moment.astimezone(ZoneInfo(booking.time_zone))
