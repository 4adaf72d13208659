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
# What may stand between the groups of a phone: as people write it, as a form is encoded, and as
# Python quotes what is neither ASCII nor a letter.
GAP = r"(?:[\s().+\u2010-\u2015\u2212-]|%2[089]|\\xa0|\\u20[0-9a-f]{2}){0,3}"


def _number(start: str, rest: str) -> str:
    """Begins no longer word or fraction, though an encoded character may stand before it. First
    the digit, then what is before it: so the many places without one cost nothing."""
    before = rf"(?:(?<!\w{start})|(?<=%[0-9A-Fa-f]{{2}}{start}))(?<!\d\.{start})"
    return f"{start}{before}{rest}"


_SEVEN_DIGITS = rf"{GAP}\d{{3}}{GAP}\d\d{GAP}\d\d(?!\w)"
_PHONES = (
    # Any number in the international form.
    rf"(?:\+|%2[Bb])\d(?:{GAP}\d){{9,14}}(?!\d)",
    # A Russian one, and a mobile one without its 8. Moments count from 1 or 2.
    _number("[78]", rf"{GAP}\d{{3}}{_SEVEN_DIGITS}"),
    _number("9", rf"\d\d{_SEVEN_DIGITS}"),
    # Of the neighbours, without a plus.
    _number("[39]", rf"(?:7[345]|80|9[2-68]){GAP}\d{{2,3}}{_SEVEN_DIGITS}"),
)
PHONE = re.compile("|".join(_PHONES))
# As the library of phones writes one for programmers; its first digits may be those of a moment.
NATIONAL = re.compile(r"(national[ _]number\W{1,4})\d{4,15}", re.IGNORECASE)
# An MD5, so 32 hexadecimal digits that belong to no longer word, in whichever quotes.
SIGNATURE = re.compile(r"(token(?:%[0-9a-f]{2}|\W){1,6})[0-9a-f]{32}(?!\w)", re.IGNORECASE)
# Where a whole key is bound to be written: the address of a booking's page, and what PostgreSQL
# says of two that collide. Its first digits tell one from another.
KEY = re.compile(r"((?:bookings/|\(key\)=\()[0-9a-f]{8})-[0-9a-f-]{27}")


# Of a longer text only its two ends are read: what happened, and where. Characters.
LONGEST, HEAD, TAIL = 20_000, 4_000, 16_000
# At a cut, half of a secret is not recognised for one: so much more goes.
MARGIN = 200
# Django's error report shows 4096 characters of a value; one more secret may begin there.
REPORTED = 4096 + MARGIN


def without_secrets(text: str) -> str:
    """The text with the CRM's secret, its tokens, whole phones and keys of bookings replaced."""
    if len(text) <= LONGEST:
        return _cleansed(text)
    head, tail = _cleansed(text[:HEAD])[:-MARGIN], _cleansed(text[-TAIL:])[MARGIN:]
    return f"{head}\n[of {len(text)} characters, the middle is left out]\n{tail}"


def _cleansed(text: str) -> str:
    secret = settings.MACROCRM_APP_SECRET
    if secret:
        text = text.replace(secret, HIDDEN)
    for pattern in (KEY, SIGNATURE, NATIONAL):
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
        shown = f"{name}={pprint(value)}"[:REPORTED]
        if SENSITIVE.search(shown) or without_secrets(shown) != shown:
            return self.cleansed_substitute
        return value
