"""Remember browsers in which staff have logged in, so that strangers' tries don't slow them down.

For each of up to eight users of the browser, a signed cookie holds a fingerprint of the password,
so that a new password makes the browser unknown, and a name under which wrong passwords are
counted. It grants no access: the password is still required.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "known_browser"
SALT = "booking.known_browsers"
AGE = timedelta(days=180)
# Users of one computer in shifts. With eight, the cookie has about 500 characters.
MOST = 8
LONGEST = 1500
NOTED = "known_browsers_noted"


def is_known(request: HttpRequest) -> bool:
    """Whether staff have logged in from this browser. Makes no query."""
    return bool(_read(request))


def name_for(request: HttpRequest, user: AbstractBaseUser) -> str:
    """The name of a browser in which this user has logged in; "" for an unknown one."""
    fingerprint, name = _read(request).get(str(user.pk), ("", ""))
    return name if constant_time_compare(fingerprint, _fingerprint(user)) else ""


def note(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Let the response to this request make its browser known for this user."""
    setattr(request, NOTED, user)


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the cookie, if noted. Its name is new: a copy of the old cookie keeps the old count."""
    user: AbstractBaseUser | None = getattr(request, NOTED, None)
    if user is None:
        return
    others = {key: entry for key, entry in _read(request).items() if key != str(user.pk)}
    entries = {str(user.pk): (_fingerprint(user), secrets.token_hex(8)), **others}
    response.set_cookie(
        COOKIE,
        signing.dumps(dict(list(entries.items())[:MOST]), salt=SALT),
        max_age=AGE,
        path=f"/{settings.ADMIN_PATH}",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict[str, tuple[str, str]]:
    text = request.COOKIES.get(COOKIE, "")
    if len(text) > LONGEST:
        return {}
    try:
        found: dict[str, tuple[str, str]] = signing.loads(text, salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return {}
    return found


def _fingerprint(user: AbstractBaseUser) -> str:
    return salted_hmac(SALT, user.password).hexdigest()[:16]
