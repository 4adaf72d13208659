"""Add a login's cookie or pause to the response, and record who acts during the request."""

from __future__ import annotations

import math
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from booking import known_browsers, login_limits, staff_events


class StaffLoginMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(f"/{settings.ADMIN_PATH}"):
            return self.get_response(request)
        with staff_events.during(request):
            response = self.get_response(request)
        if pause := login_limits.pause_of(request):
            seconds = (pause.until - timezone.now()).total_seconds()
            response.status_code = 429
            response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        if response.status_code == 200 and not known_browsers.is_known(request):
            _note_session(request)
        known_browsers.remember(request, response)
        return response


def _note_session(request: HttpRequest) -> None:
    """Make the browser of an existing session known, if it has no cookie yet."""
    if isinstance(request.user, User):
        known_browsers.note(request, request.user)
