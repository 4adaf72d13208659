"""Limits on passwords of staff, checked before the password.

Tries of strangers are counted per account, against many addresses, and per address, against many
accounts. A browser in which the account has logged in before has its own count, so that strangers
can't lock staff out. After some free tries, each further one waits longer.
docs/decisions/0009-known-browsers.md tells what each attacker can still do.
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

# Wrong passwords before the first pause. A whole office may share one address.
FREE = {"account": 5, "browser": 10, "address": 30}
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
# A counter expires this long after its last wrong password.
FORGOTTEN_AFTER = timedelta(days=1)
PAUSE = "login_limits_pause"


class MustWait(Exception):
    """No password is checked before `until`. `limit` is a key of FREE."""

    def __init__(self, limit: str, until: datetime) -> None:
        super().__init__(f"no try before {until:%H:%M:%S} ({limit})")
        self.limit = limit
        self.until = until


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that counts as wrong until it turns out right, so that parallel tries all count."""

    keys: tuple[str, ...]

    def was_right(self) -> None:
        wrong = LoginCounter.objects.filter(key__in=self.keys, failures__gt=0)
        wrong.update(failures=F("failures") - 1)

    def pause(self) -> MustWait | None:
        """The pause before the next try, after a wrong one."""
        try:
            _check(self.keys)
        except MustWait as pause:
            return pause
        return None


def begin(request: HttpRequest, name: str, user: AbstractBaseUser | None) -> Attempt:
    """Count a login attempt for this user, or for an unknown name. Raises MustWait.

    Counts by the account, not by the typed name: PostgreSQL also finds `admin` by "admın".
    """
    if user and (browser := known_browsers.name_for(request, user)):
        try:
            return _counted(f"browser:{browser}")
        except MustWait:
            pass  # a stolen cookie may have used its tries up: treat the browser as unknown
    address = client_address(request)
    account = user.get_username() if user else name
    keys = [_key("account", account.casefold())]
    return _counted(*keys, *([_key("address", address)] if address else []))


def refuse(request: HttpRequest, pause: MustWait) -> None:
    """Count a try that comes too early, and keep its pause for the response."""
    metrics.STAFF_LOGINS.labels("must_wait").inc()
    setattr(request, PAUSE, pause)


def pause_of(request: HttpRequest) -> MustWait | None:
    """The pause that `refuse` kept, if any."""
    pause: MustWait | None = getattr(request, PAUSE, None)
    return pause


def delete_old() -> None:
    before = timezone.now() - FORGOTTEN_AFTER
    LoginCounter.objects.filter(last_at__lt=before).delete()


def _key(limit: str, value: str) -> str:
    return f"{limit}:{salted_hmac('booking.login_limits', value).hexdigest()[:5]}"


def _counted(*keys: str) -> Attempt:
    # First without a lock: a refused try costs one read.
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
    """The pause by wrong passwords beyond the free ones: 1, 2, 4, 8, 15, 15... minutes."""
    if beyond < 0:
        return timedelta(0)
    doubled: int = 2 ** min(beyond, 10)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
