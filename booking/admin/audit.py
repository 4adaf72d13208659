"""Who saw or took whole phones, and which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from booking import staff_events
from booking.admin import phones
from booking.admin.read_only import ReadOnly
from booking.models import Booking, StaffEvent

# Django's admin classes are generic for the type checker only.
if TYPE_CHECKING:
    StaffEventAdminBase = admin.ModelAdmin[StaffEvent]
else:
    StaffEventAdminBase = admin.ModelAdmin


def note(request: HttpRequest, kind: StaffEvent.Kind, **facts: Any) -> None:
    staff_events.record(kind, by=request.user.get_username(), **facts)


def saw_phones(request: HttpRequest, shown: Iterable[Booking]) -> None:
    """One line for each page on which whole phones stood. Old bookings have none any more."""
    count = sum(bool(booking.phone) for booking in shown)
    if count and phones.may_see_whole(request):
        kind = StaffEvent.Kind.SAW_PHONES
        note(request, kind, page=request.path, filters=filters(request), phones=count)


def filters(request: HttpRequest) -> dict[str, str]:
    """What the page was narrowed down by. A phone that was searched for is masked."""
    return {name: phones.masked_in(str(value)) for name, value in request.GET.items() if value}


@admin.register(StaffEvent)
class StaffEventAdmin(ReadOnly, StaffEventAdminBase):
    list_display = ("at", "by", "kind", "facts")
    list_filter = ("kind",)
    search_fields = ("=by",)
    show_full_result_count = False
    actions = None
