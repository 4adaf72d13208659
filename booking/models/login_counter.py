"""Counters of wrong passwords of staff."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class LoginCounter(models.Model):
    """The counter of an account, a client address or a known browser. Deleted when a day old.

    The key holds a short hash, so that invented names and addresses make at most a million rows of
    each kind.
    """

    key = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"
