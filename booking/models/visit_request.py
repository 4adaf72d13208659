"""What buyers ask of staff where they could not book."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from booking import references
from booking.models.house import House

# Calendars are read for those who wait; who has waited for so long has found another way.
WAITS_FOR = timedelta(days=60)


class VisitRequestManager(models.Manager["VisitRequest"]):
    def open(self) -> models.QuerySet[VisitRequest]:
        return self.filter(answered_at=None, anonymised_at=None)

    def waiting(self) -> models.QuerySet[VisitRequest]:
        """The waiting list: those who have not been told of a free time, first come first."""
        since = timezone.now() - WAITS_FOR
        waiting = self.open().filter(waits=True, told_at=None, asked_at__gt=since)
        return waiting.order_by("asked_at", "pk")


class VisitRequest(models.Model):
    """A request for a visit, and its answer. It proves that the buyer tried, and when."""

    class Cause(models.TextChoices):
        FULL = "full", _("no time was free")
        NOT_LISTED = "not_listed", _("the flat is not listed")
        CRM_AWAY = "crm_away", _("the CRM did not answer")
        REFUSED = "refused", _("the CRM refused the booking")

    key = models.UUIDField(unique=True, editable=False)
    number = models.CharField(_("number"), max_length=7, unique=True, default=references.make)
    cause = models.CharField(_("cause"), max_length=16, choices=Cause.choices)
    category = models.CharField(_("category"), max_length=16)
    # As the buyer names it; the id is known where the buyer came from one of our pages.
    house_id = models.CharField(_("house id"), max_length=64, blank=True)
    house_title = models.CharField(_("house"), max_length=300)
    flat = models.CharField(_("flat"), max_length=64)
    phone = PhoneNumberField(_("phone"), blank=True)
    wish = models.TextField(_("in the buyer's words"), max_length=500, blank=True)
    consent = models.CharField(_("version of the consent"), max_length=32)
    client_address = models.GenericIPAddressField(_("client address"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    # The waiting list: whether to tell of a free time, which one was told of, and when.
    waits = models.BooleanField(_("waits for a free time"), default=False)
    free_start = models.DateTimeField(_("time that became free"), null=True, blank=True)
    told_at = models.DateTimeField(_("told at"), null=True, blank=True)
    answer = models.TextField(_("answer to the buyer"), max_length=1000, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.CharField(_("answered by"), max_length=150, blank=True)
    anonymised_at = models.DateTimeField(_("anonymised at"), null=True, blank=True, editable=False)

    objects = VisitRequestManager()

    class Meta:
        verbose_name = _("request for a visit")
        verbose_name_plural = _("requests for a visit")
        ordering = ("-asked_at", "-pk")
        indexes = [
            models.Index(fields=("client_address", "asked_at"), name="visit_request_of_client"),
            models.Index(
                fields=("asked_at",),
                condition=models.Q(answered_at=None, anonymised_at=None),
                name="visit_request_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.house_title} · {self.flat}"

    def get_absolute_url(self) -> str:
        return reverse("booking:show_request", args=[self.key])

    @property
    def is_open(self) -> bool:
        return self.answered_at is None and self.anonymised_at is None

    def in_house_time(self, name: str) -> Any:
        """A moment of the request in wall time of its house; None if there is none."""
        moment = getattr(self, name)
        zone: ZoneInfo = House.for_id(self.house_id).zone
        return moment and moment.astimezone(zone)
