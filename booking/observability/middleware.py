"""Give each request an id, a log line and metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from booking.observability import metrics, request_id

logger = logging.getLogger(__name__)

STATIC = "static"
METRICS = "metrics"
# Requested so often, by machines or with every page, that only failures are logged.
QUIET = {STATIC, METRICS, "booking:alive", "booking:ready"}
# Other methods share a label: clients may invent methods, and metrics keep labels forever.
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
STEPS = {"booking:choose_flat": "1", "booking:choose_time": "2", "booking:confirm": "3"}


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began_at = time.monotonic()
        name = request_id.of(request)
        token = request_id.current.set(name)
        try:
            response = self.get_response(request)
            response.headers[request_id.HEADER] = name
            _note(request, response, time.monotonic() - began_at)
        finally:
            request_id.current.reset(token)
        return response


def _note(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    route = _route(request)
    method = request.method if request.method in METHODS else "other"
    status = response.status_code
    metrics.REQUESTS.labels(route, method, status).inc()
    metrics.REQUEST_SECONDS.labels(route).observe(seconds)
    if route in STEPS and method == "GET" and status == 200 and not _is_prefetch(request):
        metrics.STEP_VIEWS.labels(STEPS[route]).inc()
    if route in QUIET and status < 400:
        return
    fields = {
        "method": method,
        "route": route,
        "status": status,
        "seconds": round(seconds, 3),
        "bytes": 0 if response.streaming else len(getattr(response, "content", b"")),
    }
    logger.info("%s %s: %s in %.3f s", method, route, status, seconds, extra={"fields": fields})


def _is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser fetches the page before a possible click."""
    return request.headers.get("Sec-Purpose", "").startswith("prefetch")


def _route(request: HttpRequest) -> str:
    """The view's name, never the URL, which may hold a flat or a booking's key."""
    match = request.resolver_match
    if match:
        return match.view_name
    return STATIC if request.path.startswith(settings.STATIC_URL) else "none"
