"""How often a password of staff may be tried, looked at before any password is.

Strangers' tries are counted per account, so that many addresses are of no use, and per address, so
that many accounts are none. A browser in which that account has logged in before has a count of
its own, so that strangers can't shut staff out. Beyond what people mistype, each further try has to
wait, longer and longer. docs/decisions/0009-known-browsers.md: what each attacker can still do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from booking import known_browsers, turns
from booking.client_address import client_address
from booking.models import LoginCounter
from booking.observability import metrics

# Wrong passwords before the first pause. An address may be that of a whole office.
FREE = {"account": 5, "browser": 10, "address": 30}
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
# Since the last wrong password.
FORGOTTEN_AFTER = timedelta(days=1)
PAUSE = "login_limits_pause"


class MustWait(Exception):
    """No password is looked at before `until`; `limit` is a key of FREE."""

    def __init__(self, limit: str, until: datetime) -> None:
        super().__init__(f"no try before {until:%H:%M:%S} ({limit})")
        self.limit = limit
        self.until = until


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that counts as wrong until it turns out right: of tries at once, none is overlooked."""

    keys: tuple[str, ...]

    def was_right(self) -> None:
        wrong = LoginCounter.objects.filter(key__in=self.keys, failures__gt=0)
        wrong.update(failures=F("failures") - 1)

    def pause(self) -> MustWait | None:
        """What the next try has to wait for, now that this one was wrong."""
        try:
            _check(self.keys)
        except MustWait as pause:
            return pause
        return None


def begin(request: HttpRequest, name: str, user: AbstractBaseUser | None) -> Attempt:
    """Count a try to log in as this user, or as one that does not exist. Raises MustWait.

    By the account, not by what was typed: PostgreSQL finds `admin` by "admın", too.
    """
    if user and (browser := known_browsers.name_for(request, user)):
        try:
            return _counted(f"browser:{browser}")
        except MustWait:
            pass  # a copy of its cookie may have been used up: then it is a stranger like others
    address = client_address(request)
    account = user.get_username() if user else name
    keys = [_key("account", account.casefold())]
    return _counted(*keys, *([_key("address", address)] if address else []))


def refuse(request: HttpRequest, pause: MustWait) -> None:
    """Count a try that comes too early, and let the answer tell until when."""
    metrics.STAFF_LOGINS.labels("must_wait").inc()
    setattr(request, PAUSE, pause)


def pause_of(request: HttpRequest) -> MustWait | None:
    """What a login with this request has to wait for."""
    pause: MustWait | None = getattr(request, PAUSE, None)
    return pause


def delete_old() -> None:
    before = timezone.now() - FORGOTTEN_AFTER
    LoginCounter.objects.filter(last_at__lt=before).delete()


def _key(limit: str, of_what: str) -> str:
    return f"{limit}:{salted_hmac('booking.login_limits', of_what).hexdigest()[:5]}"


def _counted(*keys: str) -> Attempt:
    # Once before anything is locked: who has to wait costs a read.
    _check(keys)
    with transaction.atomic():
        for key in keys:
            turns.take(f"login {key}")
        _check(keys)
        for key in keys:
            _count(key)
    return Attempt(keys)


def _count(key: str) -> None:
    now = timezone.now()
    counter = LoginCounter.objects.filter(key=key).first() or LoginCounter(key=key)
    counter.failures = _standing(counter, now) + 1
    counter.last_at = now
    counter.save()


def _check(keys: Iterable[str]) -> None:
    now = timezone.now()
    for counter in LoginCounter.objects.filter(key__in=keys):
        limit = counter.key.partition(":")[0]
        until = counter.last_at + _pause(_standing(counter, now) - FREE[limit])
        if until > now:
            raise MustWait(limit, until)


def _standing(counter: LoginCounter, now: datetime) -> int:
    return counter.failures if now - counter.last_at < FORGOTTEN_AFTER else 0


def _pause(beyond: int) -> timedelta:
    """After so many wrong passwords beyond the free ones: 1, 2, 4, 8, 15, 15... minutes."""
    if beyond < 0:
        return timedelta(0)
    doubled: int = 2 ** min(beyond, 10)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
