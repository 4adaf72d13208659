"""Keep the secret, tokens and phones out of log lines and Django's error reports."""

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
# Characters between the groups of a phone: as typed, as URL-encoded, and as quoted by Python.
GAP = r"(?:[\s().+\u2010-\u2015\u2212-]|%2[089]|\\xa0|\\u20[0-9a-f]{2}){0,3}"


def _number(start: str, rest: str) -> str:
    """A pattern that does not begin inside a word or fraction, but may follow an encoded character.
    It tests the digit before the look-behind, so that most places cost nothing."""
    before = rf"(?:(?<!\w{start})|(?<=%[0-9A-Fa-f]{{2}}{start}))(?<!\d\.{start})"
    return f"{start}{before}{rest}"


_SEVEN_DIGITS = rf"{GAP}\d{{3}}{GAP}\d\d{GAP}\d\d(?!\w)"
_PHONES = (
    # Any number in the international form.
    rf"(?:\+|%2[Bb])\d(?:{GAP}\d){{9,14}}(?!\d)",
    # A Russian number, and a mobile one without its 8. Timestamps begin with 1 or 2.
    _number("[78]", rf"{GAP}\d{{3}}{_SEVEN_DIGITS}"),
    _number("9", rf"\d\d{_SEVEN_DIGITS}"),
    # Numbers of neighbouring countries, without a plus.
    _number("[39]", rf"(?:7[345]|80|9[2-68]){GAP}\d{{2,3}}{_SEVEN_DIGITS}"),
)
PHONE = re.compile("|".join(_PHONES))
# As the phone library's repr shows one; its first digits may look like a timestamp.
NATIONAL = re.compile(r"(national[ _]number\W{1,4})\d{4,15}", re.IGNORECASE)
# An MD5: 32 hexadecimal digits that end a word, in any quotes.
SIGNATURE = re.compile(r"(token(?:%[0-9a-f]{2}|\W){1,6})[0-9a-f]{32}(?!\w)", re.IGNORECASE)
# A booking's key in its URL, and in PostgreSQL's message about a duplicate. The first digits stay,
# to tell keys apart.
KEY = re.compile(r"((?:bookings/|\(key\)=\()[0-9a-f]{8})-[0-9a-f-]{27}")
SHORT_KEY = re.compile(r"(/b/)[A-Za-z0-9_-]{22}")


# Of a longer text only both ends are kept: what happened, and where. In characters.
LONGEST, HEAD, TAIL = 20_000, 4_000, 16_000
# Characters dropped at a cut, where half a secret would not be recognised.
MARGIN = 200
# Django's error report shows 4096 characters of a value; a secret may begin at the last.
REPORTED = 4096 + MARGIN


def without_secrets(text: str) -> str:
    """Replace the CRM's secret, tokens, whole phones and keys of bookings."""
    if len(text) <= LONGEST:
        return _cleansed(text)
    head, tail = _cleansed(text[:HEAD])[:-MARGIN], _cleansed(text[-TAIL:])[MARGIN:]
    return f"{head}\n[of {len(text)} characters, the middle is left out]\n{tail}"


def _cleansed(text: str) -> str:
    secret = settings.MACROCRM_APP_SECRET
    if secret:
        text = text.replace(secret, HIDDEN)
    for pattern in (KEY, SHORT_KEY, SIGNATURE, NATIONAL):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return PHONE.sub(HIDDEN, text)


class NoAddress(logging.Filter):
    """Drop the URL at the end of Django's log lines, because a booking's URL opens it.

    The request log names the view, under the same request id.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().partition(": /")[0], ()
        return True


class OnlyTracebacks(logging.Filter):
    """Drop lines without a traceback, which the request log has as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


class LineFormatter(logging.Formatter):
    """Cleanse every log line, tracebacks included.

    Our code logs no phone or signed body, but an exception may quote one: the database's error for
    a duplicate booking names the values that collided.
    """

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class ReportFilter(SafeExceptionReporterFilter):
    """Hide local variables whose shown value holds the secret, a token or a phone.

    Django hides settings by name, but frames of the CRM client or of `requests` may hold the signed
    body under any name.
    """

    # LOCATION: the address of a cache may hold a password.
    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + "|LOCATION", flags=re.IGNORECASE
    )

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self._cleansed(name, value) for name, value in variables}.items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """The posted fields, hidden like local variables."""
        posted = super().get_post_parameters(request)
        return {name: self._cleansed(name, value) for name, value in posted.items()}

    def _cleansed(self, name: str, value: Any) -> Any:
        # pprint, not repr: it survives objects whose repr fails.
        shown = f"{name}={pprint(value)}"[:REPORTED]
        if SENSITIVE.search(shown) or without_secrets(shown) != shown:
            return self.cleansed_substitute
        return value
