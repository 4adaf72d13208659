"""Read-only list of requests to move or cancel; open ones link to their form."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from booking.admin import resolving
from booking.admin.filters import ChoiceFilter
from booking.admin.read_only import ReadOnly
from booking.models import ChangeRequest


class State(ChoiceFilter):
    title = _("state")
    parameter_name = "state"

    choices_offered = (("open", _("waits for an answer")), ("answered", _("answered")))

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ChangeRequest]
    ) -> QuerySet[ChangeRequest]:
        if self.value() == "open":
            return queryset & ChangeRequest.objects.waiting()
        return queryset.exclude(answered_at=None) if self.value() == "answered" else queryset


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnly, admin.ModelAdmin[ChangeRequest]):
    list_display = ("asked_at", "kind", "booking", "is_answered", "answered_by")
    list_filter = (State, "kind")
    list_select_related = ("booking",)

    @admin.display(description=_("answered"), boolean=True)
    def is_answered(self, request: ChangeRequest) -> bool:
        return not request.is_open

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(resolving.answer)
        return [
            path("<int:pk>/answer/", view, name="booking_changerequest_answer"),
            *super().get_urls(),
        ]
