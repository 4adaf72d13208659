"""Edit what the CRM does not know about a house, with a preview of the buyer's page."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet, TextField, URLField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from booking import presenters
from booking.admin import known_houses, personal_links
from booking.admin.staff_page import needs
from booking.models import Booking, House, Outcome


@admin.register(House)
class HouseAdmin(admin.ModelAdmin[House]):
    list_display = ("house_id", "title", "address", "zone_shown", "phone")
    search_fields = ("address",)  # for the box to show; what it finds is in `known_houses`
    fieldsets = (
        (None, {"fields": ("house_id", "address", "map_url", "time_zone")}),
        (
            _("The visit"),
            {"fields": ("directions", "bring", "visit_slots", "visit_minutes", "phone")},
        ),
    )
    formfield_overrides: ClassVar = {
        # The scheme of a link typed without one.
        URLField: {"assume_scheme": "https"},
        # Below the bound of `booking.bounds`, so that a longer text is an error and not cut.
        TextField: {"max_length": 2000},
    }

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[House], search_term: str
    ) -> tuple[QuerySet[House], bool]:
        if said := search_term.strip():
            queryset = queryset.filter(house_id__in=known_houses.house_ids_matching(said))
        return queryset, False

    @admin.display(description=_("title in the CRM"))
    def title(self, house: House) -> str:
        return known_houses.titles().get(house.house_id, "")

    @admin.display(description=_("time zone"))
    def zone_shown(self, house: House) -> str:
        return str(house.zone)

    def get_urls(self) -> list[URLPattern]:
        staff_only = self.admin_site.admin_view
        return [
            path("<int:pk>/preview/", staff_only(preview), name="booking_house_preview"),
            path("<int:pk>/link/", staff_only(personal_links.show), name="booking_house_link"),
            path(
                "<int:pk>/link.svg",
                staff_only(personal_links.qr_code),
                name="booking_house_qr_code",
            ),
            *super().get_urls(),
        ]


@needs("booking.view_house")
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a buyer's page of a confirmed booking in this house, without storing one."""
    booking = _sample(get_object_or_404(House, pk=pk))
    context = {**presenters.booking_context(booking), "is_preview": True}
    return render(request, "admin/booking/house_preview.html", context)


def _sample(house: House) -> Booking:
    tomorrow = timezone.now().astimezone(house.zone) + timedelta(days=1)
    return Booking(
        key=uuid.uuid4(),
        reference="А0000АА",
        outcome=Outcome.CONFIRMED,
        category=settings.BOOKING_CATEGORIES[0],
        house_id=house.house_id,
        house_title=known_houses.titles().get(house.house_id, ""),
        flat="1",
        starts_at=tomorrow.replace(hour=11, minute=0, second=0, microsecond=0),
        time_zone=str(house.zone),
        phone=PhoneNumber.from_string("+79000000000"),
    )
