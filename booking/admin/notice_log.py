"""The read-only log of notices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking.admin.filters import ChoiceFilter
from booking.admin.read_only import ReadOnly
from booking.models import Notice


class State(ChoiceFilter):
    title = _("state")
    parameter_name = "state"

    choices_offered = (("waiting", _("waiting")), ("failing", _("failing")), ("sent", _("sent")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notice]) -> QuerySet[Notice]:
        chosen = {
            "waiting": Notice.objects.waiting(),
            "failing": Notice.objects.failing(),
            "sent": Notice.objects.exclude(sent_at=None),
        }
        return queryset & chosen[self.value() or ""] if self.value() in chosen else queryset


@admin.register(Notice)
class NoticeAdmin(ReadOnly, admin.ModelAdmin[Notice]):
    list_display = (
        "event",
        "channel",
        "booking",
        "sent_at",
        "tries",
        "failure",
        "next_try",
        "given_up_at",
    )
    list_filter = (State, "channel")
    list_select_related = ("event__booking",)

    @admin.display(description=_("booking"))
    def booking(self, notice: Notice) -> str:
        return str(notice.event.booking)

    @admin.display(description=_("next try at"))
    def next_try(self, notice: Notice) -> Any:
        return None if notice.sent_at or notice.given_up_at else notice.next_try_at
