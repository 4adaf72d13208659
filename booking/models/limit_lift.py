"""Limits that staff have lifted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models.append_only import AppendOnly, AppendOnlyQuerySet


class LimitLifts(AppendOnlyQuerySet["LimitLift"]):
    pass


class LimitLift(AppendOnly):
    """`subject` is the limit's name and a keyed hash of its group (`rate_limits.subject`)."""

    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    by = models.CharField(_("by"), max_length=150)
    subject = models.CharField(_("limit"), max_length=64, db_index=True)

    objects = LimitLifts.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        verbose_name = _("lifted limit")
        verbose_name_plural = _("lifted limits")
        ordering = ("-pk",)
        permissions = [("lift_limit", _("Can lift limits"))]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by}: {self.subject.partition(' ')[0]}"
