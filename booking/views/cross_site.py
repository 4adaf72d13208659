"""Refuse buyers' forms that come from other sites, without a cookie.

Browsers inside messengers keep no cookies, send no Referer and `Origin: null`, so Django's check
would refuse them. A buyer's form needs no session: a program that knows the flat and the phone, or
the booking's secret address, can send it. This check stops another site from sending it through its
visitors' browsers, from addresses that limits count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.http import is_same_domain
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from booking import bounds

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]

FIELD = "form_token"
# A tab may stay open overnight.
TOKEN_SECONDS = 24 * 3600
# A token has 55 characters, a host's name 253 at most.
LONGEST_TOKEN = 100
LONGEST_HEADER = 300

OUR_PAGES = {"same-origin", "none"}
OTHER_PAGES = {"same-site", "cross-site"}

# Bound to nothing of the visitor, so another site may fetch one and put it into a form of its own.
# It helps only in a browser without Sec-Fetch-Site (before Chrome 76, Firefox 90, Safari 16.4), and
# no further than a program gets: it must know the flat and the phone. Our cookies stay behind, they
# are SameSite.
_signer = TimestampSigner(salt="booking.form")


class Refusal(models.TextChoices):
    """Why a form was refused, in one sentence."""

    OTHER_SITE = "other site", _("The form came from another site.")
    TOO_OLD = "too old", _("The page was open for more than a day.")
    NOT_WHOLE = "not whole", _("The form did not reach us whole.")


def form_token() -> str:
    """A token for the hidden field of a buyer's form."""
    return _signer.sign("form")


def own_forms_only(refused: View) -> Callable[[View], View]:
    """For a view that takes a buyer's form, in place of Django's check.

    `refused` answers a form that is not taken, and is given the reason beside the view's arguments:
    it shows the page again, with what was typed.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            refusal = _refusal(request) if request.method == "POST" else None
            if refusal is None:
                return view(request, **kwargs)
            _log(request, refusal)
            return refused(request, refusal, **kwargs)

        return checked

    return decorate


def _refusal(request: HttpRequest) -> Refusal | None:
    """Check the form's origin by headers; a browser without them must send the token."""
    token = _sent_token(request)
    origin = _header(request, "Origin")
    site = _header(request, "Sec-Fetch-Site")
    if site in OUR_PAGES:
        return None
    if site in OTHER_PAGES:
        return None if _is_trusted(origin) else Refusal.OTHER_SITE
    if origin not in {"", "null"}:
        is_ours = _is_our_host(request, origin) or _is_trusted(origin)
        return None if is_ours else Refusal.OTHER_SITE
    return _problem_with_token(token)


def _sent_token(request: HttpRequest) -> str:
    return str(request.POST.get(FIELD, ""))


def _header(request: HttpRequest, name: str) -> str:
    return bounds.capped(request.headers.get(name, ""), LONGEST_HEADER)


def _is_our_host(request: HttpRequest, origin: str) -> bool:
    """Compare only names: behind a proxy, scheme and port may differ."""
    return _host_name(origin) == _host_name(f"//{request.get_host()}")


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_trusted(origin: str) -> bool:
    scheme, _sep, host = origin.partition("://")
    trusted = [each.partition("://") for each in settings.CSRF_TRUSTED_ORIGINS]
    return any(
        scheme == theirs and is_same_domain(host, pattern.removeprefix("*"))
        for theirs, _sep, pattern in trusted
    )


def _problem_with_token(token: str) -> Refusal | None:
    if len(token) > LONGEST_TOKEN:
        return Refusal.NOT_WHOLE
    try:
        _signer.unsign(token, max_age=TOKEN_SECONDS)
    except SignatureExpired:
        return Refusal.TOO_OLD
    except BadSignature:
        return Refusal.NOT_WHOLE
    return None


def _log(request: HttpRequest, refusal: Refusal) -> None:
    """Log both headers, which show a proxy with another host name."""
    told = (_header(request, "Sec-Fetch-Site"), _header(request, "Origin"))
    logger.warning("A form was refused: %s (Sec-Fetch-Site %r, Origin %r)", refusal.value, *told)
