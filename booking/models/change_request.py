"""A buyer's wish to move or cancel a visit. The CRM's API can't, so staff do it by hand."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models.booking import Booking


class ChangeRequestManager(models.Manager["ChangeRequest"]):
    def waiting(self) -> models.QuerySet[ChangeRequest]:
        """Unanswered requests, except on anonymised bookings, whose buyers can't read an answer."""
        return self.filter(answered_at=None, booking__anonymised_at=None)


class ChangeRequest(models.Model):
    """One wish and its answer; at most one of a booking is unanswered."""

    class Kind(models.TextChoices):
        MOVE = "move", _("move to another time")
        CANCEL = "cancel", _("cancel")

    booking = models.ForeignKey(
        Booking,
        on_delete=models.PROTECT,
        related_name="change_requests",
        verbose_name=_("booking"),
    )
    kind = models.CharField(_("wish"), max_length=8, choices=Kind.choices)
    wish = models.TextField(_("in the buyer's words"), max_length=500, blank=True)
    # The time that a buyer who wants to move has chosen.
    wanted_at = models.DateTimeField(_("wanted time"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    answer = models.TextField(_("answer to the buyer"), max_length=1000, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = models.CharField(_("answered by"), max_length=150, blank=True)

    objects = ChangeRequestManager()

    class Meta:
        verbose_name = _("request to move or cancel")
        verbose_name_plural = _("requests to move or cancel")
        ordering = ("-asked_at", "-pk")
        permissions = [("answer_changerequest", _("Can answer requests to move or cancel"))]
        constraints = [
            models.UniqueConstraint(
                fields=("booking",),
                condition=models.Q(answered_at=None),
                name="one_open_request_per_booking",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.booking}"

    @property
    def wanted_at_local(self) -> datetime | None:
        """The wanted time in wall time of the house."""
        return self.wanted_at and self.wanted_at.astimezone(ZoneInfo(self.booking.time_zone))

    @property
    def is_open(self) -> bool:
        return self.answered_at is None and self.booking.anonymised_at is None
