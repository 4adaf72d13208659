"""Record and show who saw or exported whole phones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from booking import staff_events
from booking.admin import phones, staff_words, words
from booking.admin.read_only import ReadOnly
from booking.models import Booking, StaffEvent, VisitRequest


def note(request: HttpRequest, kind: StaffEvent.Kind, **facts: Any) -> None:
    staff_events.record(kind, by=request.user.get_username(), **facts)


def searched(request: HttpRequest) -> None:
    """Record a search for a phone, whatever it found."""
    said = request.GET.get(SEARCH_VAR, "")
    if phones.spelled_in(said):
        note(
            request,
            StaffEvent.Kind.SEARCHED_PHONE,
            page=request.path,
            search=phones.masked_in(said),
        )


def saw_phones(request: HttpRequest, shown: Iterable[Booking | VisitRequest]) -> None:
    """Record a page that showed whole phones. Anonymised rows have none."""
    count = sum(bool(row.phone) for row in shown)
    if count and phones.may_see_whole(request):
        kind = StaffEvent.Kind.SAW_PHONES
        note(request, kind, page=request.path, filters=filters(request), phones=count)


def exported(request: HttpRequest, narrowed_by: Any, file_format: str, count: int) -> bool:
    """Record an export and return whether it may hold whole phones. Recorded before the first row,
    because an aborted download counts as well."""
    whole = phones.may_see_whole(request)
    note(
        request,
        StaffEvent.Kind.EXPORTED,
        filters=narrowed_by,
        format=file_format,
        bookings=count,
        phones="whole" if whole else "masked",
    )
    return whole


def filters(request: HttpRequest) -> dict[str, str]:
    """The filters of the page, with phones in the search masked."""
    given = {name.replace("\0", ""): value for name, value in request.GET.items() if value}
    return {name: phones.masked_in(str(value)) for name, value in given.items()}


@admin.register(StaffEvent)
class StaffEventAdmin(ReadOnly, admin.ModelAdmin[StaffEvent]):
    list_display = ("when", "by", "kind", "in_words")
    fields = readonly_fields = ("when", "by", "kind", "in_words")
    list_filter = ("kind",)
    search_fields = ("=by",)

    @admin.display(description=_("at"))
    def when(self, event: StaffEvent) -> str:
        return words.short_moment(event.at)

    @admin.display(description=_("facts"))
    def in_words(self, event: StaffEvent) -> SafeString:
        lines = staff_words.describe_event(event)
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))
