"""Failed searches for a booking, counted against guessing."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class FindAttempt(models.Model):
    """A wrong pair of number and phone, as hashes. `booking.retention` deletes it after a day."""

    tried_at = models.DateTimeField(default=timezone.now)
    client_address = models.GenericIPAddressField(null=True)
    # Keyed hashes of the phone, and of number and phone.
    phone_hash = models.CharField(max_length=64)
    pair_hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=("client_address", "tried_at"), name="find_attempt_of_client"),
            models.Index(fields=("phone_hash", "tried_at"), name="find_attempt_of_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.tried_at:%Y-%m-%d %H:%M:%S}"
