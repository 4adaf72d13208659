"""The language of a page: Russian, unless another one is chosen by a link.

A browser's own language does not count: consumer information has to be in Russian first, and many
phones here are set to English.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.http import escape_leading_slashes
from django.utils.translation import activate, get_language

PARAMETER = "lang"


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A link to the page in another language, named in that language."""

    code: str
    name: str
    url: str


class LanguageMiddleware:
    """`?lang=en` on any page chooses the language; a session cookie remembers it.

    Addresses don't keep the choice, so a shared page uses its reader's language.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.GET.get(PARAMETER)
        wanted = (chosen, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME))
        offered = dict(settings.LANGUAGES)
        code = next((each for each in wanted if each in offered), settings.LANGUAGE_CODE)
        activate(code)
        request.LANGUAGE_CODE = code
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", code)
        if code == chosen:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                code,
                secure=settings.CSRF_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def of_texts() -> str:
    """Language of the texts of the CRM and staff, if the page has another one; else ""."""
    theirs = str(settings.LANGUAGE_CODE)
    return "" if get_language() == theirs else theirs


def links(request: HttpRequest) -> list[LanguageLink]:
    """Footer links to this page in other languages; none after a POST or for a bad query."""
    if request.method not in {"GET", "HEAD"}:
        return []
    try:
        query = request.GET.copy()
    except SuspiciousOperation:
        return []
    current = getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)
    return [
        LanguageLink(code, str(name), _in_language(code, request.path, query))
        for code, name in settings.LANGUAGES
        if code != current
    ]


def _in_language(code: str, path: str, query: QueryDict) -> str:
    query[PARAMETER] = code
    # As a link, "//host/" or "/\\host/" would lead off the site.
    return f"{escape_leading_slashes(escape_uri_path(path))}?{query.urlencode()}"
