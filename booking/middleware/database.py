"""How long a page waits for the database."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from booking.database.timeouts import timeout


class DatabaseTimeoutMiddleware:
    """A buyer's page has an answer soon; only staff ask what may take long, such as the figures."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _is_for_staff(request.path_info):
            return self.get_response(request)
        with timeout(settings.DATABASE_TIMEOUT):
            return self.get_response(request)


def _is_for_staff(path: str) -> bool:
    """The admin and the figures."""
    is_figures = settings.METRICS_PATH and path == f"/{settings.METRICS_PATH}"
    return bool(is_figures) or path.startswith(f"/{settings.ADMIN_PATH}")
