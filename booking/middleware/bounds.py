"""Cuts what a request brings to what its readers expect, before anything reads it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError

from booking import bounds

# Each proxy adds to the end of it, and there what can be believed stands.
FORWARDED = "HTTP_X_FORWARDED_FOR"
COOKIE = "HTTP_COOKIE"


class InputBoundsMiddleware:
    """Stands before all others: what they see of a request is cut already. See `booking.bounds`.

    A form is read later, once there is a place for the page: its body may come slowly.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _cut_headers(request.META)
        with suppress(SuspiciousOperation):  # too many fields: told where they are read
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
            # Nothing is left to answer to, and it is no bug.
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
    """Those that may be ours. None of ours has a backslash, and Python before 3.12.6 needs 118 ms
    to read a cookie of 8,000 of them."""
    cookies = bounds.capped(header, bounds.COOKIES).split(";")
    return ";".join(each for each in cookies if len(each) <= bounds.COOKIE and "\\" not in each)
