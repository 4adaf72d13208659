"""The language of a page: chosen by a link, else the browser's, else Russian."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.encoding import escape_uri_path
from django.utils.http import escape_leading_slashes
from django.utils.translation import get_language

PARAMETER = "lang"


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A link to the page in another language, named in that language."""

    code: str
    name: str
    url: str


class LanguageMiddleware(LocaleMiddleware):
    """`?lang=en` on any page chooses the language; a session cookie remembers it.

    Addresses don't keep the choice, so a shared page uses its reader's language.
    """

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.GET.get(PARAMETER)
        if chosen in dict(settings.LANGUAGES):
            request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = chosen
        super().process_request(request)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        chosen = request.GET.get(PARAMETER)
        if chosen in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                chosen,
                secure=settings.CSRF_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return super().process_response(request, response)


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
