"""Wrong passwords at the login of staff, counted so that none is guessed at leisure."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class LoginCounter(models.Model):
    """Those of one account, client address or known browser. Deleted when a day old.

    The key is made of a short hash, so that names and addresses without end make no more than a
    million rows of each kind.
    """

    key = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"
