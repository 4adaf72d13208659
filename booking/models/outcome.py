"""Outcomes of a press of the button."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    SENDING = "sending", _("sending")
    CONFIRMED = "confirmed", _("confirmed")
    REFUSED = "refused", _("refused")
    NOT_SENT = "not_sent", _("not sent")
    IN_DOUBT = "in_doubt", _("in doubt")
