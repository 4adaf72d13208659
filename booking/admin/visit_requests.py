"""Requests for a visit: the list, and the page on which one is answered."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import services, wording
from booking.admin import audit, phones, words
from booking.admin.filters import ChoiceFilter
from booking.admin.read_only import ReadOnly
from booking.admin.staff_page import needs, render_staff_page
from booking.models import VisitRequest


class AnswerTextForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Answer to the buyer"),
        help_text=gettext_lazy("The buyer reads it on the page of the request."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=1000,
    )


class OpenOrAnswered(ChoiceFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    choices_offered = (
        ("open", gettext_lazy("waits for an answer")),
        ("answered", gettext_lazy("answered")),
    )

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[VisitRequest]
    ) -> QuerySet[VisitRequest]:
        if self.value() == "open":
            return queryset & VisitRequest.objects.open()
        return queryset.exclude(answered_at=None) if self.value() == "answered" else queryset


@admin.register(VisitRequest)
class VisitRequestAdmin(ReadOnly, admin.ModelAdmin[VisitRequest]):
    list_display = ("asked_at", "number", "house_title", "flat", "cause", "waits", "is_answered")
    list_filter = (OpenOrAnswered, "cause", "waits")
    search_fields = ("=number", "=flat", "house_title")
    fields = (
        "number",
        "cause",
        "house_title",
        "flat",
        "masked_phone",
        "wish",
        "asked_at",
        "free_start",
        "told_at",
        "answer",
        "answered_at",
        "answered_by",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("answered"), boolean=True)
    def is_answered(self, asked: VisitRequest) -> bool:
        return not asked.is_open

    @admin.display(description=gettext_lazy("phone"))
    def masked_phone(self, asked: VisitRequest) -> str:
        return wording.masked_phone(asked.phone)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(answer)
        return [
            path("<int:pk>/answer/", view, name="booking_visitrequest_answer"),
            *super().get_urls(),
        ]


@needs("booking.answer_changerequest")
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    asked = get_object_or_404(VisitRequest, pk=pk)
    form = AnswerTextForm(request.POST or None)
    if not asked.is_open:
        return _answered_already(request)
    if form.is_valid():
        by = request.user.get_username()
        if not services.visit_requests.answer(asked, by=by, **form.cleaned_data):
            return _answered_already(request)
        messages.success(request, _("Answered: {request}").format(request=asked))
        return redirect("admin:booking_needs_a_look")
    audit.saw_phones(request, [asked])
    whole = phones.may_see_whole(request)
    facts = [
        (_("Asked at"), words.short_moment(asked.asked_at)),
        (_("Cause"), asked.get_cause_display()),
        (_("Phone"), asked.phone.as_international if whole else wording.masked_phone(asked.phone)),
        (_("In the buyer's words"), asked.wish),
    ]
    return render_staff_page(
        request,
        "visit_request",
        title=_("Answer a request for a visit"),
        asked=asked,
        facts=facts,
        form=form,
    )


def _answered_already(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("This request has been answered already."))
    return redirect("admin:booking_needs_a_look")
