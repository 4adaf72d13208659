"""Keeps the secret, tokens and phones out of log lines and of Django's error reports."""

import logging
import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.defaultfilters import pprint
from django.views.debug import SafeExceptionReporterFilter

HIDDEN = "[hidden]"
SENSITIVE = re.compile(r"token|phone", re.IGNORECASE)
# What may stand between the groups of a phone: as people write it, or as a form is encoded.
GAP = r"(?:[\s().+-]|%2[089]){0,3}"
# Any number in the international form, or a Russian one with all that people put into it. That one
# begins no longer word or fraction, though an encoded character may stand before it. First the
# digit, then what is before it: so the many places without one cost nothing.
PHONE = re.compile(
    r"(?:\+|%2[Bb])\d{11,15}(?!\w)"
    r"|[78](?:(?<!\w[78])|(?<=%[0-9A-Fa-f]{2}[78]))(?<!\d\.[78])"
    rf"{GAP}\d{{3}}{GAP}\d{{3}}{GAP}\d\d{GAP}\d\d(?!\w)"
)
# An MD5, so 32 hexadecimal digits that belong to no longer word, in whichever quotes.
SIGNATURE = re.compile(r"(token(?:%[0-9a-f]{2}|\W){1,6})[0-9a-f]{32}(?!\w)", re.IGNORECASE)
# Where a whole key is bound to be written: the address of a booking's page, and what PostgreSQL
# says of two that collide. Its first digits tell one from another.
KEY = re.compile(r"((?:bookings/|\(key\)=\()[0-9a-f]{8})-[0-9a-f-]{27}")


def without_secrets(text: str) -> str:
    """The text with the CRM's secret, its tokens, whole phones and keys of bookings replaced."""
    secret = settings.MACROCRM_APP_SECRET
    if secret:
        text = text.replace(secret, HIDDEN)
    for pattern in (KEY, SIGNATURE):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return PHONE.sub(HIDDEN, text)


class NoAddress(logging.Filter):
    """Takes the address off the end of Django's own lines: a booking's opens the booking.

    The request log names the view, under the same name of the request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().partition(": /")[0], ()
        return True


class OnlyTracebacks(logging.Filter):
    """Drops what the request log tells as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class LineFormatter(logging.Formatter):
    """The last net under every log line, tracebacks included.

    No code of ours logs a phone or a signed body, but an exception from below may quote one: the
    database's own error for a second booking names the values that collided.
    """

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class ReportFilter(SafeExceptionReporterFilter):
    """Blanks every local variable in which the secret, a token or a phone could stand.

    Django hides settings by their name, but a frame of the CRM client or of `requests` may hold the
    signed body under any name. Judged by what the report would show of the value.
    """

    # LOCATION, because a cache's address may hold a password.
    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|LOCATION", flags=re.IGNORECASE
    )

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self._cleansed(name, value) for name, value in variables}.items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """What was posted, without the phone and whatever else would be blanked in a frame."""
        posted = super().get_post_parameters(request)
        return {name: self._cleansed(name, value) for name, value in posted.items()}

    def _cleansed(self, name: str, value: Any) -> Any:
        # pprint, not repr: it survives objects whose repr fails.
        shown = f"{name}={pprint(value)}"
        if SENSITIVE.search(shown) or without_secrets(shown) != shown:
            return self.cleansed_substitute
        return value
