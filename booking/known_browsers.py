"""Browsers in which staff have logged in before: they are not slowed down by what strangers try.

A signed cookie holds, for each of a few members of staff who share the browser, a mark of their
password, so that another password makes the browser unknown, and a name that their wrong passwords
are counted under. It opens nothing: the password is asked for as ever.
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
# Who works at one computer by shifts; with them the cookie has some 500 characters.
MOST = 8
LONGEST = 1500
NOTED = "known_browsers_noted"


def is_known(request: HttpRequest) -> bool:
    """Whether any of staff has logged in there. Asks no database."""
    return bool(_read(request))


def name_for(request: HttpRequest, user: AbstractBaseUser) -> str:
    """What the browser is called in which this user has logged in; empty for an unknown one."""
    mark, name = _read(request).get(str(user.pk), ("", ""))
    return name if constant_time_compare(mark, _mark(user)) else ""


def note(request: HttpRequest, user: AbstractBaseUser) -> None:
    """The answer to this request is to make its browser known for this user."""
    setattr(request, NOTED, user)


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the cookie, if noted. With a new name: a copy of the old one keeps the old count."""
    user: AbstractBaseUser | None = getattr(request, NOTED, None)
    if user is None:
        return
    others = {key: entry for key, entry in _read(request).items() if key != str(user.pk)}
    entries = {str(user.pk): (_mark(user), secrets.token_hex(8)), **others}
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


def _mark(user: AbstractBaseUser) -> str:
    return salted_hmac(SALT, user.password).hexdigest()[:16]
