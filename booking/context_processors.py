from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from booking import language, ways, wording

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
        "accent": settings.ACCENT_COLOR[1:],
        "has_logo": bool(settings.LOGO_FILE),
        "support_phone": phone,
        "support_phone_href": wording.tel(phone),
        "privacy_policy_url": settings.PRIVACY_POLICY_URL,
    }


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        **everywhere(),
        **ways.around(request),
        "back_url": ways.back(request),
        "languages": language.links(request),
    }
