"""Tells arrivals at a step from pages that are opened again."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from booking import arrivals
from booking.forms import Answers

STEPS = {"booking:choose_flat": 1, "booking:choose_time": 2, "booking:confirm": 3}


class ArrivalCount:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        step = STEPS.get(match.view_name) if match else None
        if step and response.status_code == 200 and _is_arrival(request):
            arrivals.tally.note(step, Answers.read(request.GET).source)
        return response


def _is_arrival(request: HttpRequest) -> bool:
    """A step that one opens, coming from anywhere but this very step.

    Our pages tell each other where one comes from (SECURE_REFERRER_POLICY). The scheme is left
    out: a proxy may not tell it.
    """
    before = request.headers.get("Referer", "").partition("?")[0].partition("://")[2]
    is_here = before == f"{request.get_host()}{request.path}"
    return request.method == "GET" and not is_here and not _is_reload(request)


def _is_reload(request: HttpRequest) -> bool:
    """A browser that reloads tells once more where one came from, and asks for a fresh page."""
    wants = request.headers.get("Cache-Control", "").replace(" ", "").lower().split(",")
    return "max-age=0" in wants or "no-cache" in wants
