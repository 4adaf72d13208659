"""Cut the texts of a request to the bounds of `booking.bounds`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from booking import bounds

# Proxies append to this header, so its end is the trustworthy part.
FORWARDED = "HTTP_X_FORWARDED_FOR"
COOKIE = "HTTP_COOKIE"


class InputBoundsMiddleware:
    """The outermost middleware, so that all others see a cut request.

    Forms are read later, after load shedding, because a body may arrive slowly.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _cut_headers(request.META)
        with suppress(SuspiciousOperation):  # too many fields: the view reports it
            request.GET = bounds.cut(request.GET, bounds.IN_A_QUERY)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, kwargs: dict[str, Any]
    ) -> None:
        if any(len(str(value)) > bounds.IN_A_PATH for value in kwargs.values()):
            raise Http404
        try:
            request.POST = bounds.cut(request.POST, bounds.IN_A_FORM)
        except UnreadablePostError as exc:
            # The client is gone; that is no bug.
            raise BadRequest("The form broke off.") from exc


def _cut_headers(meta: dict[str, Any]) -> None:
    if len(meta.get("QUERY_STRING", "")) > bounds.QUERY:
        meta["QUERY_STRING"] = ""
    if COOKIE in meta:
        meta[COOKIE] = _cookies(meta[COOKIE])
    for name, value in meta.items():
        if name.startswith("HTTP_") and len(value) > bounds.HEADER and name != COOKIE:
            is_end, most = name == FORWARDED, bounds.HEADER + 1
            meta[name] = value[-most:] if is_end else bounds.capped(value, most)


def _cookies(header: str) -> str:
    """Keep the cookies that may be ours. Ours have no backslash, and Python before 3.12.6 takes
    118 ms to parse a cookie of 8,000 backslashes."""
    cookies = bounds.capped(header, bounds.COOKIES).split(";")
    return ";".join(each for each in cookies if len(each) <= bounds.COOKIE and "\\" not in each)
