"""Pages for what no view expected: no CRM, no database, a limit, a request in a wrong form."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import bad_request

from booking import wording
from booking.context_processors import essentials
from booking.crm import CRMError, CRMUnavailable
from booking.database.errors import is_away
from booking.limits import TooManyTries
from booking.watch import metrics

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# When to come back if nobody can say.
RETRY_AFTER_SECONDS = 60
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


class CRMErrorPages:
    """A CRM that cannot be read is a page in plain words with 503, whichever view needed it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, CRMError):
            return None
        # No traceback: the client has told of the call that failed, once for all these pages.
        logger.warning("No page without the CRM: %s", exception)
        return _away(request, "booking/crm_away.html", _retry_after(exception))


class DatabaseAwayPage:
    """Without the journal nothing can be booked or shown: a page that says so, with 503.

    Errors of the database that are bugs of ours get the 500 that they deserve.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return _database_away(request, exception) if is_away(exception) else None


class TooManyTriesPage:
    """A limit that is reached is a page that says until when, with 429."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyTries):
            return None
        told = wording.too_many_tries(exception.limit, exception.until, exception.seconds)
        response = render(request, "booking/too_many.html", {"told": told}, status=429)
        response.headers["Retry-After"] = str(exception.seconds)
        response.headers["Cache-Control"] = "no-store"
        return response


class NotAllowedPage:
    """An address that is used as it can't be is a page in words, too. Its headers stay."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            response.content = render_to_string("405.html", request=request)
        return response


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400; but what is only too much to read is told apart, with 413."""
    if isinstance(exception, TOO_MUCH):
        return render(request, "413.html", status=413)
    return bad_request(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """Django's 500: drawn without the database, and without what else may have broken.

    What no view raised ends here, too: a session that can't be written because the database is
    away is no bug.
    """
    error = sys.exception()
    if is_away(error):
        return _database_away(request, error)
    return HttpResponse(render_to_string("500.html", essentials()), status=500)


def _database_away(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    # No traceback: there is one line for every page while the database is away.
    logger.error("No page without the database: %s: %s", type(error).__name__, error)
    metrics.DATABASE_AWAY.inc()
    return _away(request, "booking/database_away.html", RETRY_AFTER_SECONDS)


def _away(request: HttpRequest, template: str, retry_after: int) -> HttpResponse:
    context = {
        "retry_url": request.get_full_path() if request.method == "GET" else "",
        "minutes": math.ceil(retry_after / 60),
    }
    response = render(request, template, context, status=503)
    response.headers["Retry-After"] = str(retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _retry_after(error: CRMError) -> int:
    if isinstance(error, CRMUnavailable) and error.retry_after:
        return math.ceil(error.retry_after)
    return RETRY_AFTER_SECONDS
