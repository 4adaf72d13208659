"""What staff tell of a house, because the CRM does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.db.models import URLField

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
    # A link typed without its scheme.
    formfield_overrides: ClassVar = {URLField: {"assume_scheme": "https"}}
