"""Error pages: CRM or database unavailable, a limit, an unreadable request."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import bad_request

from booking import wording
from booking.context_processors import essentials
from booking.crm import CRMError, CRMUnavailable
from booking.database.errors import is_away
from booking.models import VisitRequest
from booking.observability import metrics
from booking.query import BookingQuery
from booking.rate_limits import TooManyTries

logger = logging.getLogger(__name__)

# Retry-After where the CRM gives none.
RETRY_AFTER_SECONDS = 60
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


class ErrorPagesMiddleware:
    """Turn foreseen errors of any view into a page. Bugs stay 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):  # its headers stay
            response.content = render_to_string("405.html", request=request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, CRMError):
            return _crm_away(request, exception)
        if isinstance(exception, TooManyTries):
            return _too_many(request, exception)
        return _database_away(request, exception) if is_away(exception) else None


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400, or 413 for a request that is too large."""
    if isinstance(exception, TOO_MUCH):
        return render(request, "413.html", status=413)
    return bad_request(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """Django's 500, rendered without the database and most else.

    Errors outside of views end here, too: failing to save a session while the database is
    unavailable is no bug.
    """
    error = sys.exception()
    if is_away(error):
        return _database_away(request, error)
    return HttpResponse(render_to_string("500.html", essentials()), status=500)


def _crm_away(request: HttpRequest, error: CRMError) -> HttpResponse:
    # No traceback: the CRM client has logged the failed call, once for all these pages.
    logger.warning("No page without the CRM: %s", error)
    asked = error.retry_after if isinstance(error, CRMUnavailable) else None
    return _away(request, "booking/crm_away.html", math.ceil(asked or RETRY_AFTER_SECONDS))


def _too_many(request: HttpRequest, error: TooManyTries) -> HttpResponse:
    told = wording.too_many_tries(error.limit, error.until, error.seconds)
    return _come_again(request, "booking/too_many.html", {"told": told}, 429, error.seconds)


def _database_away(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    # No traceback: while the database is away, every page logs this line.
    logger.error("No page without the database: %s: %s", type(error).__name__, error)
    metrics.DATABASE_AWAY.inc()
    return _away(request, "booking/database_away.html", RETRY_AFTER_SECONDS)


def _away(request: HttpRequest, template: str, retry_after: int) -> HttpResponse:
    query = BookingQuery.of_address(request)
    context = {
        "request_url": query.request_url(VisitRequest.Cause.CRM_AWAY),
        "retry_url": request.get_full_path() if request.method == "GET" else "",
        "minutes": math.ceil(retry_after / 60),
    }
    return _come_again(request, template, context, 503, retry_after)


def _come_again(
    request: HttpRequest, template: str, context: dict[str, Any], status: int, seconds: int
) -> HttpResponse:
    response = render(request, template, context, status=status)
    response.headers["Retry-After"] = str(seconds)
    response.headers["Cache-Control"] = "no-store"
    return response
