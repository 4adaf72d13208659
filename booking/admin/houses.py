"""What staff tell of a house, because the CRM does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from booking.models import House

# Django's admin classes are generic for the type checker only.
if TYPE_CHECKING:
    HouseAdminBase = admin.ModelAdmin[House]
else:
    HouseAdminBase = admin.ModelAdmin


@admin.register(House)
class HouseAdmin(HouseAdminBase):
    list_display = ("house_id", "address", "time_zone")
    search_fields = ("=house_id", "address")
