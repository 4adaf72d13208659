"""Pages and files about the site itself: its accessibility, its brand."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from booking import brand
from booking.context_processors import icon

# Allows the inline styles of an SVG logo, which other browsers than Chromium may check in an <img>.
# Opened by itself, the file may run nothing.
BRAND_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
A_YEAR = 365 * 24 * 3600


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon of pages that name none, such as the admin's."""
    return redirect(icon()["icon"])


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    context = {"looked_at": settings.ACCESSIBILITY_DATE}
    return render(request, "booking/accessibility.html", context)


@cache_control(public=True, max_age=A_YEAR, immutable=True)
@require_safe
def brand_file(request: HttpRequest, name: str) -> HttpResponse:
    for file in brand.files(settings.ACCENT_COLOR, settings.LOGO_FILE):
        if file.name == name:
            response = HttpResponse(file.body, content_type=file.content_type)
            response.headers["Content-Security-Policy"] = BRAND_POLICY
            return response
    raise Http404
