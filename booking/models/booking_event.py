"""The trail of a booking: its events."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from booking.models.append_only import AppendOnly, AppendOnlyQuerySet

# Facts that hold no free text, and so stay after anonymising.
WITHOUT_TEXT = {
    "reason",
    "http_status",
    "status_code",
    "seconds",
    "outcome",
    "by",
    "wish",
    "called_off",
    "to",
    "wanted_at",
    "was_free",
    "is_free",
    "starts_at",
}


class Trail(AppendOnlyQuerySet["BookingEvent"]):
    pass


class BookingEvent(AppendOnly):
    """One event of a booking, append-only."""

    class Kind(models.TextChoices):
        SENDING = "sending", _("sending")
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        NOT_SENT = "not_sent", _("not sent")
        IN_DOUBT = "in_doubt", _("in doubt")
        LATE_ANSWER = "late_answer", _("answer after the outcome was settled")
        RESOLVED = "resolved", _("resolved by a person")
        EVIDENCE = "evidence", _("evidence")
        ASKED_AGAIN = "asked_again", _("asked again")
        CALLED_OFF = "called_off", _("called off by staff")
        CORRECTED = "corrected", _("resolution corrected")
        CHANGE_ASKED = "change_asked", _("change asked for")
        CHANGE_ANSWERED = "change_answered", _("change answered")
        MOVED = "moved", _("visit moved")
        WRITTEN = "written", _("written down by staff")
        LOOKED_INTO = "looked_into", _("looked into")
        ANONYMISED = "anonymised", _("anonymised")

    booking = models.ForeignKey(
        "booking.Booking",
        on_delete=models.PROTECT,
        related_name="events",
        verbose_name=_("booking"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    kind = models.CharField(_("event"), max_length=16, choices=Kind.choices)
    facts = models.JSONField(_("facts"), default=dict, blank=True)

    objects = Trail.as_manager()

    class Meta(AppendOnly.Meta):
        abstract = False
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.get_kind_display()}"

    def scrub(self) -> None:
        """Remove free texts, when the booking is anonymised: the only change of an event."""
        kept = {name: value for name, value in self.facts.items() if name in WITHOUT_TEXT}
        if kept != self.facts:
            self.facts = kept
            super(AppendOnly, self).save(update_fields=["facts"])
