"""Filters of the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.admin import known_houses
from booking.models import Booking, VisitState, in_state


class ChoiceFilter(admin.SimpleListFilter):
    """A filter with fixed choices of value and name."""

    choices_offered: Iterable[tuple[str, Any]] = ()

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return list(self.choices_offered)


class OfState(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_offered = VisitState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        state = self.value()
        if state not in VisitState.values:
            return queryset
        return queryset.filter(in_state(VisitState(state), now=timezone.now()))

    @classmethod
    def ordering(cls, request: HttpRequest) -> tuple[str, ...] | None:
        """By visit for states that depend on its time, so that one index finds and sorts."""
        state = request.GET.get(cls.parameter_name)
        if state == VisitState.OVER:
            return ("-starts_at", "-pk")
        return ("starts_at", "pk") if state == VisitState.EXPECTED else None


class VisitDay(ChoiceFilter):
    """Visits by day, in the installation's time zone."""

    title = _("visit day")
    parameter_name = "visit_day"
    choices_offered = (
        ("today", _("today")),
        ("tomorrow", _("tomorrow")),
        ("week", _("the next 7 days")),
        ("later", _("later")),
        ("past", _("past")),
    )
    # Days from today: the first, and how many.
    spans: ClassVar = {"today": (0, 1), "tomorrow": (1, 1), "week": (0, 7), "later": (7, 3650)}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        if self.value() == "past":
            return queryset.filter(starts_at__lt=midnight)
        span = self.spans.get(self.value() or "")
        if span is None:
            return queryset
        first = midnight + timedelta(days=span[0])
        return queryset.filter(starts_at__gte=first, starts_at__lt=first + timedelta(days=span[1]))

    @classmethod
    def ordering(cls, request: HttpRequest) -> tuple[str, ...] | None:
        """By visit under this filter, so that one index finds and sorts."""
        chosen = request.GET.get(cls.parameter_name)
        if chosen == "past":
            return ("-starts_at", "-pk")
        return ("starts_at", "pk") if chosen in cls.spans else None


class OfHouse(admin.SimpleListFilter):
    title = _("house")
    parameter_name = "house"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        return list(known_houses.titles().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        house = self.value()
        return queryset.filter(house_id=house) if house else queryset


class OfSource(admin.SimpleListFilter):
    """Campaigns and links of buyers, up to the number that staff would pick from."""

    title = _("source")
    parameter_name = "source"
    most = 50

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, Any]]:
        campaigns = cache.get_or_set(
            "staff:campaigns", self._known, known_houses.REMEMBERED_SECONDS
        )
        return [(campaign, campaign) for campaign in campaigns or ()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Booking]) -> QuerySet[Booking]:
        campaign = self.value()
        return queryset.filter(campaign=campaign) if campaign else queryset

    def _known(self) -> list[str]:
        found = known_houses.newest_of_each("campaign", most=self.most)
        return [campaign for (campaign,) in found]
