"""The audit trail of staff: personal data, bulk actions, logins and accounts."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models.append_only import AppendOnly, AppendOnlyQuerySet


class StaffEvents(AppendOnlyQuerySet["StaffEvent"]):
    pass


class StaffEvent(AppendOnly):
    """One action of staff, append-only. `facts` hold no whole phone."""

    class Kind(models.TextChoices):
        EXPORTED = "exported", _("exported bookings")
        SAW_PHONES = "saw_phones", _("saw whole phones")
        ANONYMISED = "anonymised", _("anonymised old bookings")
        SEARCHED_PHONE = "searched_phone", _("searched for a phone")
        LOGGED_IN = "logged_in", _("logged in")
        LOGGED_OUT = "logged_out", _("logged out")
        LOGIN_FAILED = "login_failed", _("wrong password")
        LOGIN_SLOWED = "login_slowed", _("too many wrong passwords")
        PASSWORD_CHANGED = "password_changed", _("changed a password")
        ACCOUNT_CHANGED = "account_changed", _("changed an account or its rights")

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
        # Queried at each wrong password.
        indexes = [models.Index(fields=("kind", "by", "at"), name="staff_event_told")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.by}: {self.get_kind_display()}"
