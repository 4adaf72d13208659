"""The outbox of notices, written in the transaction of their event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from booking.models.booking_event import BookingEvent

# Kinds of events that make a notice.
TOLD = frozenset({"confirmed", "in_doubt", "late_answer", "change_asked"})


class NoticeManager(models.Manager["Notice"]):
    def enqueue(self, event: BookingEvent) -> None:
        """Add a notice for each configured channel, if the event's kind makes any."""
        if event.kind in TOLD:
            channels = Notice.configured_channels()
            self.bulk_create(Notice(event=event, channel=channel) for channel in channels)

    def waiting(self) -> models.QuerySet[Notice]:
        return self.filter(sent_at=None, given_up_at=None)

    def failing(self) -> models.QuerySet[Notice]:
        """Unsent notices that failed at least once."""
        return self.filter(sent_at=None).exclude(failure="")


class Notice(models.Model):
    """One message by one channel, sent at least once: receivers recognise repeats by its id."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")

    event = models.ForeignKey(
        "booking.BookingEvent",
        on_delete=models.PROTECT,
        related_name="notices",
        verbose_name=_("event"),
    )
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try at"), default=timezone.now)
    failure = models.CharField(_("why it failed last"), max_length=300, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("given up at"), null=True, blank=True)

    objects = NoticeManager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=("event", "channel"), name="one_notice_per_channel"),
        ]
        indexes = [
            models.Index(
                fields=("next_try_at",),
                condition=models.Q(sent_at=None, given_up_at=None),
                name="notice_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.event}"

    @classmethod
    def configured_channels(cls) -> list[Channel]:
        addresses = {
            cls.Channel.EMAIL: settings.NOTICE_EMAILS,
            cls.Channel.WEBHOOK: settings.NOTICE_WEBHOOK_URL,
        }
        return [channel for channel, address in addresses.items() if address]
