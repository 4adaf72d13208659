"""Requests to move or cancel a visit: all of them to read, the open ones to answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, handover, wording
from booking.admin import queue
from booking.admin.answer_form import AnswerForm
from booking.admin.desk_page import needs, page
from booking.admin.read_only import ReadOnly
from booking.models import ChangeRequest, moves


class State(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return [
            ("open", gettext_lazy("waits for an answer")),
            ("answered", gettext_lazy("answered")),
        ]

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
    show_full_result_count = False
    actions = None

    @admin.display(description=gettext_lazy("answered"), boolean=True)
    def is_answered(self, request: ChangeRequest) -> bool:
        return not request.is_open

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(answer)
        return [
            path("<int:pk>/answer/", view, name="booking_changerequest_answer"),
            *super().get_urls(),
        ]


@needs("booking.answer_changerequest")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    asked = get_object_or_404(ChangeRequest.objects.select_related("booking"), pk=pk)
    form = AnswerForm(request.POST or None, booking=asked.booking)
    if not asked.is_open:
        return _answered_already(request, asked)
    if form.is_valid():
        try:
            return _take(request, asked, form)
        except moves.FlatHasVisit:
            form.add_error("becomes", _("This flat has another visit ahead: it can't be moved."))
    return page(
        request,
        "answer",
        title=_("Answer a request"),
        asked=asked,
        booking=asked.booking,
        when=wording.day_and_time(asked.booking.starts_at_local),
        phone=wording.masked_phone(asked.booking.phone),
        form=form,
    )


def _take(request: HttpRequest, asked: ChangeRequest, form: AnswerForm) -> HttpResponse:
    """Raises FlatHasVisit."""
    if not handover.answer_change(asked, by=request.user.get_username(), **form.taken):
        return _answered_already(request, asked)
    messages.success(request, _("Answered: {request}").format(request=asked))
    if form.moved_to:
        _tell_of_new_time(request, asked.booking.house_id, form.moved_to)
    return _next_one()


def _tell_of_new_time(request: HttpRequest, house_id: str, start: datetime) -> None:
    """With a warning where buyers would not be offered it: the CRM is in the hands of staff."""
    messages.success(
        request, _("The visit is moved to {when}.").format(when=wording.for_day_at(start))
    )
    if availability.was_free(house_id, start) is False:
        messages.warning(
            request,
            _("By our last look, this time is taken or not offered. Is it right in the CRM?"),
        )


def _answered_already(request: HttpRequest, asked: ChangeRequest) -> HttpResponse:
    messages.info(request, _("This request has been answered already."))
    return redirect("admin:booking_changerequest_change", asked.pk)


def _next_one() -> HttpResponse:
    """The next request to answer, or the queue."""
    waiting = queue.open_requests().first()
    if waiting is None:
        return redirect("admin:booking_needs_a_look")
    return redirect("admin:booking_changerequest_answer", waiting.pk)
