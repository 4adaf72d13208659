"""How many came to each step of the wizard, by day and source. Knows of nobody who they were."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import NamedTuple

from django.db import models, transaction


class Arrival(NamedTuple):
    """What is counted together. `day` is of the site's time zone, `step` is 1, 2 or 3."""

    day: datetime.date
    step: int
    utm_source: str
    ref: str


class StepArrivalsManager(models.Manager["StepArrivals"]):
    def add(self, counts: Mapping[Arrival, int]) -> None:
        """Add to what other processes have counted; where the database fails, nothing of it."""
        with transaction.atomic():
            # In one order everywhere, or two processes might wait for each other's rows.
            for arrival, count in sorted(counts.items()):
                row, _is_new = self.get_or_create(**arrival._asdict())
                self.filter(pk=row.pk).update(count=models.F("count") + count)


class StepArrivals(models.Model):
    day = models.DateField()
    step = models.PositiveSmallIntegerField()
    utm_source = models.CharField(max_length=200, blank=True)
    ref = models.CharField(max_length=200, blank=True)
    count = models.PositiveBigIntegerField(default=0)

    objects = StepArrivalsManager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "step", "utm_source", "ref"], name="booking_one_row_of_arrivals"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.step} {self.utm_source} {self.ref}: {self.count}"
