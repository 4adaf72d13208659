"""What was done with many bookings at once, or with personal data: by whom, when, and how much."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models.append_only import AppendOnly, AppendOnlyQuerySet


class StaffEvents(AppendOnlyQuerySet["StaffEvent"]):
    pass


class StaffEvent(AppendOnly):
    """Written once, never changed. `facts` hold no whole phone."""

    class Kind(models.TextChoices):
        EXPORTED = "exported", _("exported bookings")
        SAW_PHONES = "saw_phones", _("saw whole phones")
        ANONYMISED = "anonymised", _("anonymised old bookings")

    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    by = models.CharField(_("by"), max_length=150)
    kind = models.CharField(_("event"), max_length=16, choices=Kind.choices)
    facts = models.JSONField(_("facts"), default=dict, blank=True)

    objects = StaffEvents.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        verbose_name = _("event of the desk")
        verbose_name_plural = _("events of the desk")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by}: {self.get_kind_display()}"
