"""Limit how long a page waits for the database."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking.database.timeouts import timeout


class DatabaseTimeoutMiddleware:
    """Sets the default; a few views extend it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timeout(settings.DATABASE_TIMEOUT):
            return self.get_response(request)
