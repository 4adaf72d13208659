"""The nets under the views: pages for errors of the CRM that no view expected, and a strict CSP."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from booking.crm import CRMError, CRMUnavailable
from booking.limits import TooManyTries

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# Only our own files; nothing inline, nobody may frame us, forms go nowhere else.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# When to come back if the CRM does not say.
RETRY_AFTER_SECONDS = 60


class ContentSecurityPolicy:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


class CRMErrorPages:
    """A CRM that cannot be read is a page in plain words with 503, whichever view needed it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, CRMError):
            return None
        logger.error("%s: %s", type(exception).__name__, exception, exc_info=exception)
        context = {"retry_url": request.get_full_path() if request.method == "GET" else ""}
        response = render(request, "booking/crm_away.html", context, status=503)
        response.headers["Retry-After"] = str(_retry_after(exception))
        response.headers["Cache-Control"] = "no-store"
        return response


class TooManyTriesPage:
    """A limit that is reached is a page that says until when, with 429."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyTries):
            return None
        # A minute is what the page can tell, and nobody should come too early.
        until = timezone.localtime(exception.until) + timedelta(minutes=1)
        context = {"until": f"{until:%H:%M}"}
        response = render(request, "booking/too_many.html", context, status=429)
        seconds = (exception.until - timezone.now()).total_seconds()
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        response.headers["Cache-Control"] = "no-store"
        return response


def _retry_after(error: CRMError) -> int:
    if isinstance(error, CRMUnavailable) and error.retry_after:
        return math.ceil(error.retry_after)
    return RETRY_AFTER_SECONDS
