"""What the CRM does not know about a house; staff maintain it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


def _known_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as exc:
        raise ValidationError(_("Name an IANA time zone, for example Asia/Yekaterinburg.")) from exc


class House(models.Model):
    """Address, directions and visit length of a house."""

    house_id = models.CharField(_("id in the CRM"), max_length=64, unique=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[_known_time_zone],
        help_text=_("Only if it differs from the installation's."),
    )
    map_url = models.URLField(_("link to a map"), blank=True)
    directions = models.TextField(_("how to find the entrance"), blank=True)
    bring = models.TextField(
        _("what to bring"),
        blank=True,
        help_text=_("One thing a line. Empty: passport, contract, power of attorney."),
    )
    visit_slots = models.PositiveSmallIntegerField(
        _("how many consecutive times a visit takes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
        help_text=_("Only if it differs from the installation's."),
    )
    visit_minutes = models.PositiveSmallIntegerField(
        _("how long a visit takes, in minutes"), null=True, blank=True
    )
    phone = models.CharField(
        _("whom to call"),
        max_length=40,
        blank=True,
        help_text=_("Only if it is not the common support phone."),
    )

    class Meta:
        verbose_name = _("house")
        verbose_name_plural = _("houses")
        ordering = ("house_id",)

    def __str__(self) -> str:
        return self.address or self.house_id

    @classmethod
    def for_id(cls, house_id: str) -> House:
        """The house with this id in the CRM, or an empty unsaved one."""
        return cls.objects.filter(house_id=house_id).first() or cls(house_id=house_id)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone or settings.TIME_ZONE)

    @property
    def visit_lasts(self) -> timedelta | None:
        """Length of a visit: as set by staff, else that of its slots.

        None for a single slot without a length: a visit need not fill its slot.
        """
        if self.visit_minutes:
            return timedelta(minutes=self.visit_minutes)
        slots = self.visit_slots or settings.BOOKING_VISIT_SLOTS
        return timedelta(minutes=slots * settings.BOOKING_GRID_MINUTES) if slots > 1 else None
