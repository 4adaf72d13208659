from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from booking import brand, language, ways, wording

# For pages that are written out in Russian: nothing is asked of the request.
NAME = "Запись на получение ключей"


def essentials() -> dict[str, str]:
    """For a page that is drawn when much is broken: it takes the settings and nothing else."""
    phone = settings.SUPPORT_PHONE
    return {
        "site_name": settings.SITE_NAME or NAME,
        "support_phone": phone,
        "support_phone_href": wording.tel(phone),
    }


def everywhere() -> dict[str, Any]:
    """What every page needs to name itself, to look as it should and to say whom to call."""
    phone = settings.SUPPORT_PHONE
    return {
        "site_name": settings.SITE_NAME or _("Booking of the key handover"),
        "texts_lang": language.of_texts(),
        "stylesheet": _stylesheet(),
        **_icon(),
        "support_phone": phone,
        "support_phone_href": wording.tel(phone),
        "privacy_policy_url": settings.PRIVACY_POLICY_URL,
    }


def _stylesheet() -> str:
    accent = settings.ACCENT_COLOR
    return _of_brand(brand.stylesheet(accent)) if accent else static("css/site.css")


def _icon() -> dict[str, Any]:
    """The logo, or the key in its place."""
    if not settings.LOGO_FILE:
        return {"icon": static("img/key.svg"), "icon_type": "image/svg+xml", "has_logo": False}
    logo = brand.picture(settings.LOGO_FILE)
    return {"icon": _of_brand(logo), "icon_type": logo.content_type, "has_logo": True}


def _of_brand(file: brand.File) -> str:
    return reverse("booking:brand", args=[file.name])


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        **everywhere(),
        **ways.around(request),
        "back_url": ways.back(request),
        "languages": language.links(request),
    }
