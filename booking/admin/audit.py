"""Who saw or took whole phones, and which."""

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
from booking.models import Booking, StaffEvent


def note(request: HttpRequest, kind: StaffEvent.Kind, **facts: Any) -> None:
    staff_events.record(kind, by=request.user.get_username(), **facts)


def searched(request: HttpRequest) -> None:
    """A look for whose a phone is, whatever was found."""
    said = request.GET.get(SEARCH_VAR, "")
    if phones.spelled_in(said):
        note(
            request,
            StaffEvent.Kind.SEARCHED_PHONE,
            page=request.path,
            search=phones.masked_in(said),
        )


def saw_phones(request: HttpRequest, shown: Iterable[Booking]) -> None:
    """One line for each page on which whole phones stood. Old bookings have none any more."""
    count = sum(bool(booking.phone) for booking in shown)
    if count and phones.may_see_whole(request):
        kind = StaffEvent.Kind.SAW_PHONES
        note(request, kind, page=request.path, filters=filters(request), phones=count)


def exported(request: HttpRequest, narrowed_by: Any, file_format: str, count: int) -> bool:
    """Whether the file may hold whole phones. Noted before the first row leaves: a file that stops
    half way has been taken all the same."""
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
    """What the page was narrowed down by. A phone that was searched for is masked."""
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
