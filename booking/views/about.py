"""Pages and files about the site itself: its accessibility, its brand, that it is broken."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from booking import brand
from booking.context_processors import essentials

A_YEAR = 365 * 24 * 3600


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where a browser looks for the icon of a page that names none, such as the admin's."""
    return redirect(static("img/key.svg"))


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "booking/accessibility.html")


def broken(request: HttpRequest) -> HttpResponse:
    """Django's 500: drawn without the database, and without what else may have broken."""
    return HttpResponse(render_to_string("500.html", essentials()), status=500)


@cache_control(public=True, max_age=A_YEAR, immutable=True)
@require_safe
def brand_css(request: HttpRequest, version: str) -> HttpResponse:
    """The brand's colours. `version` is the colour itself: another colour has another address."""
    if not settings.ACCENT_COLOR or version != settings.ACCENT_COLOR[1:]:
        raise Http404
    return HttpResponse(brand.palette(settings.ACCENT_COLOR).css(), content_type="text/css")


@cache_control(public=True, max_age=3600)
@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    if not settings.LOGO_FILE:
        raise Http404
    file = Path(settings.LOGO_FILE)
    response = HttpResponse(file.read_bytes(), content_type=brand.LOGO_TYPES[file.suffix])
    # A drawing that is opened by itself must not run anything either.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
