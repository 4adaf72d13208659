"""The staff's desk: the log of every attempt, read-only, with the trail of each; and the houses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import phonenumbers
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from booking import handover, wording
from booking.models import Booking, BookingEvent, House, Outcome

# Django's admin classes are generic for the type checker only.
if TYPE_CHECKING:
    BaseAdmin = admin.options.BaseModelAdmin[Any]
    EventInlineBase = admin.TabularInline[BookingEvent, Booking]
    BookingAdminBase = admin.ModelAdmin[Booking]
    HouseAdminBase = admin.ModelAdmin[House]
else:
    BaseAdmin = object
    EventInlineBase = admin.TabularInline
    BookingAdminBase = HouseAdminBase = admin.ModelAdmin


class ReadOnly(BaseAdmin):
    """Evidence: staff read it, nobody changes or deletes it, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VisitDay(admin.SimpleListFilter):
    """Who comes when. Days are those of the installation's time zone."""

    title = _("visit day")
    parameter_name = "visit_day"
    # Days from today: the first, and how many.
    spans: ClassVar = {"today": (0, 1), "tomorrow": (1, 1), "week": (0, 7), "later": (7, 3650)}

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [
            ("today", _("today")),
            ("tomorrow", _("tomorrow")),
            ("week", _("the next 7 days")),
            ("later", _("later")),
            ("past", _("past")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        if self.value() == "past":
            return queryset.filter(starts_at__lt=midnight)
        span = self.spans.get(self.value() or "")
        if span is None:
            return queryset
        first = midnight + timedelta(days=span[0])
        return queryset.filter(starts_at__gte=first, starts_at__lt=first + timedelta(days=span[1]))


class EventInline(ReadOnly, EventInlineBase):
    model = BookingEvent
    fields = ("at", "kind", "facts_in_words")
    readonly_fields = fields
    extra = 0

    @admin.display(description=_("facts"))
    def facts_in_words(self, event: BookingEvent) -> SafeString:
        facts = (
            (name, value) for name, value in event.facts.items() if value not in (None, "", [])
        )
        return format_html_join("", "<div>{}: {}</div>", facts)


@admin.register(Booking)
class BookingAdmin(ReadOnly, BookingAdminBase):
    list_display = (
        "created_at",
        "outcome",
        "visit",
        "house_title",
        "flat",
        "category",
        "phone",
        "reason",
        "reference",
    )
    list_filter = ("outcome", VisitDay, "category", "house_title")
    search_fields = ("house_title", "=house_id", "flat", "key")
    search_help_text = _("Phone in any spelling, flat, house or booking number")
    date_hierarchy = "created_at"
    inlines = (EventInline,)
    fields = (
        "reference",
        "outcome",
        "reason",
        "visit",
        "time_zone",
        "house_title",
        "house_id",
        "category",
        "flat",
        "phone",
        "follows",
        "source",
        "client_address",
        "stand_in",
        "created_at",
        "settled_at",
        "key",
    )
    readonly_fields = (*fields, "masked_phone")

    @admin.display(description=_("visit"), ordering="starts_at")
    def visit(self, booking: Booking) -> str:
        return f"{booking.starts_at_local:%d.%m.%Y %H:%M}"

    @admin.display(description=_("booking number"))
    def reference(self, booking: Booking) -> str:
        return booking.reference

    @admin.display(description=_("phone"))
    def masked_phone(self, booking: Booking) -> str:
        return wording.masked_phone(booking.phone)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return _with_phone_by_permission(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: Booking | None = None) -> list[Any]:
        return _with_phone_by_permission(request, self.fields)

    def get_urls(self) -> list[URLPattern]:
        resolve = self.admin_site.admin_view(self.resolve)
        return [
            path("<int:pk>/resolve/", resolve, name="booking_booking_resolve"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        booking = self.get_object(request, object_id)
        can_resolve = booking is not None and _can_resolve(request, booking)
        return super().change_view(request, object_id, form_url, {"can_resolve": can_resolve})

    def resolve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Staff tell what became of a booking in doubt; the buyer's page tells it on."""
        booking = get_object_or_404(Booking, pk=pk)
        if not _can_resolve(request, booking):
            raise PermissionDenied
        form = ResolveForm(request.POST or None)
        if form.is_valid():
            handover.resolve(booking, by=request.user.get_username(), **form.cleaned_data)
            return redirect("admin:booking_booking_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Resolve a booking in doubt"),
            "opts": self.opts,
            "booking": booking,
            "when": wording.day_and_time(booking.starts_at_local),
            "form": form,
        }
        return render(request, "admin/booking/booking/resolve.html", context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        phone = _phone_in(search_term)
        return (queryset.filter(phone=phone), False) if phone else (found, may_repeat)


class ResolveForm(forms.Form):
    """What a person found out about a booking in doubt."""

    was_booked = forms.TypedChoiceField(
        label=_("Is it in the CRM?"),
        choices=[("yes", _("Yes, the visit is booked")), ("no", _("No, there is no such visit"))],
        coerce=lambda choice: choice == "yes",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("How you know"),
        help_text=_("For your colleagues; the buyer does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )


def _with_phone_by_permission(request: HttpRequest, names: Iterable[Any]) -> list[Any]:
    """Whole phones only for those with the permission."""
    if request.user.has_perm("booking.view_whole_phone"):
        return [*names]
    return ["masked_phone" if name == "phone" else name for name in names]


def _can_resolve(request: HttpRequest, booking: Booking) -> bool:
    in_doubt = booking.outcome == Outcome.IN_DOUBT
    return in_doubt and request.user.has_perm("booking.resolve_booking")


def _phone_in(text: str) -> PhoneNumber | None:
    """The phone that a search term spells, if it is one."""
    try:
        phone = PhoneNumber.from_string(text, region="RU")
    except phonenumbers.NumberParseException:
        return None
    return phone if phone.is_valid() else None


@admin.register(House)
class HouseAdmin(HouseAdminBase):
    list_display = ("house_id", "address", "time_zone")
    search_fields = ("=house_id", "address")
