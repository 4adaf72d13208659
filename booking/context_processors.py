from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from booking import brand, language, wording
from booking.query import BookingQuery

# The default name on error pages, which are written in Russian without looking at the request.
NAME = "Запись на получение ключей"


def essentials() -> dict[str, str]:
    """Context of pages rendered when much is broken: from the settings alone."""
    phone = settings.SUPPORT_PHONE
    return {
        "site_name": settings.SITE_NAME or NAME,
        "support_phone": phone,
        "support_phone_href": wording.tel(phone),
    }


def site(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: name, style, phone and links."""
    phone = settings.SUPPORT_PHONE
    return {
        "site_name": settings.SITE_NAME or _("Book your key handover"),
        "texts_lang": language.of_texts(),
        "stylesheet": _stylesheet(),
        **icon(),
        "support_phone": phone,
        "support_phone_href": wording.tel(phone),
        "privacy_policy_url": settings.PRIVACY_POLICY_URL,
        **_links(request),
        "back_url": _back(request),
        "languages": language.links(request),
    }


def icon() -> dict[str, Any]:
    """The logo, or the key in its place."""
    if not settings.LOGO_FILE:
        return {"icon": static("img/key.svg"), "icon_type": "image/svg+xml", "has_logo": False}
    logo = brand.picture(settings.LOGO_FILE)
    return {"icon": _of_brand(logo), "icon_type": logo.content_type, "has_logo": True}


def _stylesheet() -> str:
    accent = settings.ACCENT_COLOR
    return _of_brand(brand.stylesheet(accent)) if accent else static("css/site.css")


def _of_brand(file: brand.File) -> str:
    return reverse("booking:brand", args=[file.name])


def _links(request: HttpRequest) -> dict[str, str]:
    """Header and footer links, which keep the buyer's campaign."""
    came_with = BookingQuery(source=BookingQuery.of_address(request).source)
    return {
        "home_url": came_with.choose_flat_url(),
        "find_url": came_with.with_source(reverse("booking:find_booking")),
        "accessibility_url": came_with.with_source(reverse("booking:accessibility")),
    }


def _back(request: HttpRequest) -> str:
    """The page to return to from an error page after a POST."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return ""
    if match.view_name == "booking:confirm":
        query = BookingQuery.of_address(request)
        return query.confirm_url() if query.names_a_flat else ""
    if match.view_name == "booking:find_booking":
        return _links(request)["find_url"]
    if match.view_name in {"booking:ask_for_visit", "booking:show_request"}:
        return request.path
    if key := match.kwargs.get("key"):
        return reverse("booking:show_booking", args=[key])
    return ""
