"""The read-only log of bookings, with their trails."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from booking import wording
from booking.admin import (
    audit,
    day_sheet,
    export,
    figures,
    held_limits,
    phones,
    queue,
    resolving,
    search,
    words,
)
from booking.admin.filters import OfHouse, OfSource, OfState, VisitDay
from booking.admin.read_only import ReadOnly
from booking.models import Booking, BookingEvent

# Allowed look-ups in the URL. With others, users who see phones masked could probe them digit by
# digit.
LOOKUPS = {
    "category",
    "category__exact",
    OfState.parameter_name,
    OfHouse.parameter_name,
    OfSource.parameter_name,
    VisitDay.parameter_name,
    "created_at__gte",
    "created_at__lt",
}


class LogChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Django handles a year that is no number, but not one outside the calendar."""
        try:
            super().get_results(request)
        except (OverflowError, ValueError, DataError) as exc:
            raise IncorrectLookupParameters(exc) from exc


class EventInline(ReadOnly, admin.TabularInline[BookingEvent, Booking]):
    """The trail."""

    model = BookingEvent
    template = "admin/booking/trail.html"
    fields = readonly_fields = ("when", "kind", "in_words")
    extra = 0

    @admin.display(description=_("at"))
    def when(self, event: BookingEvent) -> str:
        return words.short_moment(event.at)

    @admin.display(description=_("facts"))
    def in_words(self, event: BookingEvent) -> SafeString:
        lines = words.describe_event(event)
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))


@admin.register(Booking)
class BookingAdmin(ReadOnly, admin.ModelAdmin[Booking]):
    list_display = (
        "made_at",
        "state",
        "visit",
        "house_title",
        "flat",
        "phone",
        "cause",
        "took",
        "campaign",
        "reference",
    )
    list_filter = (OfState, VisitDay, "created_at", OfHouse, "category", OfSource)
    list_per_page = 50
    # Only indexed columns: sorting by another would sort a million rows for a click.
    sortable_by = ("made_at", "visit")
    search_fields = ("flat",)  # for the box to show; what it finds is in `search`
    search_help_text = _("Phone in any spelling, flat, house or booking number")
    show_facets = admin.ShowFacets.NEVER
    inlines = (EventInline,)
    fields = (
        "reference",
        "state",
        "cause",
        "visit",
        "time_zone",
        "house_title",
        "house_id",
        "category",
        "flat",
        "phone",
        "written_by",
        "source",
        "client_address",
        "stand_in",
        "created_at",
        "settled_at",
        "took",
        "called_off_at",
        "moved_at",
        "anonymised_at",
        "key",
    )
    readonly_fields = (*fields, "masked_phone")

    @admin.display(description=_("made at"), ordering="created_at")
    def made_at(self, booking: Booking) -> str:
        return words.short_moment(booking.created_at)

    @admin.display(description=_("visit"), ordering="starts_at")
    def visit(self, booking: Booking) -> str:
        return f"{booking.starts_at_local:%d.%m.%Y %H:%M}"

    @admin.display(description=_("state"))
    def state(self, booking: Booking) -> str:
        return str(booking.state.label)

    @admin.display(description=_("cause"))
    def cause(self, booking: Booking) -> str:
        return words.reason(booking.reason)

    @admin.display(description=_("CRM, s"))
    def took(self, booking: Booking) -> str:
        return "" if booking.crm_seconds is None else f"{booking.crm_seconds:.1f}"

    @admin.display(description=_("source"))
    def campaign(self, booking: Booking) -> str:
        return words.source(booking.source)

    @admin.display(description=_("phone"))
    def masked_phone(self, booking: Booking) -> str:
        return wording.masked_phone(booking.phone)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return phones.mask_columns(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: Booking | None = None) -> list[Any]:
        return phones.mask_columns(request, self.fields)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        by_visit = VisitDay.ordering(request) or OfState.ordering(request)
        return by_visit or ("-created_at", "-pk")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LogChangeList]:
        return LogChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in LOOKUPS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        return queryset.filter(search.search_q(search_term)), False

    def get_urls(self) -> list[URLPattern]:
        staff_only = self.admin_site.admin_view
        return [
            path("needs-a-look/", staff_only(queue.show), name="booking_needs_a_look"),
            path("limits/", staff_only(held_limits.show), name="booking_held_limits"),
            path("figures/", staff_only(figures.show), name="booking_figures"),
            path("day-sheet/", staff_only(day_sheet.show), name="booking_day_sheet"),
            path(
                "day-sheet.<str:file_format>",
                staff_only(day_sheet.download),
                name="booking_day_sheet_file",
            ),
            path("export.<str:file_format>", staff_only(self.export), name="booking_export"),
            path(
                "<int:pk>/resolve/", staff_only(resolving.resolve), name="booking_booking_resolve"
            ),
            path(
                "<int:pk>/correct/", staff_only(resolving.correct), name="booking_booking_correct"
            ),
            path(
                "<int:pk>/change-visit/",
                staff_only(resolving.change_visit),
                name="booking_booking_change_visit",
            ),
            path(
                "<int:pk>/looked-into/",
                staff_only(resolving.dismiss),
                name="booking_booking_dismiss",
            ),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        return export.export(request, self, file_format)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django's title asks to select a row.
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        response = super().changelist_view(request, title | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            audit.searched(request)
            audit.saw_phones(request, response.context_data["cl"].result_list)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            # What is shown, not what was asked for: Django interprets the URL in its own way.
            booking = response.context_data["original"]
            audit.saw_phones(request, [booking])
            response.context_data |= resolving.actions(request, booking)
            response.context_data["moved_from"] = booking.moved_from
            response.context_data["moved_to"] = booking.moved_at and booking.latest()
        return response
