"""Where the links around a page's content lead: each keeps the marks that a buyer came with."""

from __future__ import annotations

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.urls import reverse

from booking.forms import Answers


def around(request: HttpRequest) -> dict[str, str]:
    """To the first step, to a booking that is made already, to the page about accessibility."""
    came_with = Answers(source=_answers(request).source)
    return {
        "home_url": came_with.choose_flat_url(),
        "find_url": came_with.url_of(reverse("booking:find_booking")),
        "accessibility_url": came_with.url_of(reverse("booking:accessibility")),
    }


def back(request: HttpRequest) -> str:
    """From a page that came instead of an answer to a press: to where it was pressed."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return ""
    if match.view_name == "booking:confirm":
        answers = _answers(request)
        return answers.confirm_url() if answers.names_a_flat else ""
    if match.view_name == "booking:find_booking":
        return around(request)["find_url"]
    if key := match.kwargs.get("key"):
        return reverse("booking:show_booking", args=[key])
    return ""


def _answers(request: HttpRequest) -> Answers:
    """Those in the address; none if it can't be read."""
    try:
        return Answers.read(request.GET)
    except SuspiciousOperation:
        return Answers()
