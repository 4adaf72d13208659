"""Find a booking by its number and phone, with limits against guessing.

Failed tries count against the client, which is then refused, and against the phone over all
clients, which slows further tries to one a minute for each client. So a stranger can't lock out the
owner of a phone.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from phonenumber_field.phonenumber import PhoneNumber

from booking import rate_limits, turns
from booking.client_address import address_hash
from booking.models import Booking, FindAttempt
from booking.observability import metrics
from booking.rate_limits import Holding, Limit, TooManyTries, Try

logger = logging.getLogger(__name__)

SALT = "booking.finding"
PAUSE = timedelta(minutes=1)


def find(number: str, phone: PhoneNumber, client_address: str | None) -> Booking | None:
    """Find a booking, or count a failed try and return None. Raises TooManyTries.

    A failure makes the same queries whether the number exists, the phone, or neither.
    """
    attempt = FindAttempt(
        client_address=client_address,
        phone_hash=_keyed_hash(phone.as_e164),
        pair_hash=_keyed_hash(f"{number} {phone.as_e164}"),
    )
    # First without a lock, so that a refused client costs a read or two.
    _check(attempt)
    with transaction.atomic():
        turns.take(f"find_client {client_address}")
        turns.take(f"find_phone {attempt.phone_hash}")
        _check(attempt)
        booking = Booking.objects.numbered(number, phone)
        if booking is None and not _is_repeated(attempt):
            attempt.save()
    return booking


def holding() -> list[Holding]:
    """List the clients that the limit keeps out, newest try first."""
    tried = _recent().exclude(client_address=None).values("client_address")
    often = tried.annotate(count=Count("pk")).filter(count__gte=settings.LIMIT_FIND_PER_CLIENT)
    found = [
        Holding(
            Limit.FIND_CLIENT,
            Try(tries[0], flat=("", "", ""), phone="", client=client, is_guess=True),
            tries[-1] + _window(),
            rate_limits.subject(Limit.FIND_CLIENT, client),
        )
        for client in often.values_list("client_address", flat=True)
        if client and (tries := _standing(client))
    ]
    return sorted(found, key=lambda each: each.newest.at, reverse=True)


def _check(attempt: FindAttempt) -> None:
    _check_client(attempt)
    _check_phone(attempt)


def _check_client(attempt: FindAttempt) -> None:
    if attempt.client_address is None:
        return  # an unknown client can't be counted
    if tries := _standing(attempt.client_address):
        _refuse(Limit.FIND_CLIENT, attempt, until=tries[-1] + _window())


def _check_phone(attempt: FindAttempt) -> None:
    of_phone = _recent(phone_hash=attempt.phone_hash)
    wrong = of_phone.aggregate(count=Count("pair_hash", distinct=True))["count"]
    if wrong < settings.LIMIT_FIND_PER_PHONE:
        return
    own = of_phone.filter(
        client_address=attempt.client_address, tried_at__gt=timezone.now() - PAUSE
    )
    if last := own.order_by("-tried_at").first():
        _refuse(Limit.FIND_PHONE, attempt, until=last.tried_at + PAUSE)


def _standing(client_address: str) -> list[datetime]:
    """The client's last tries, newest first, if they reach the limit; else none."""
    most = settings.LIMIT_FIND_PER_CLIENT
    tries = _recent(client_address=client_address).order_by("-tried_at")
    times = list(tries.values_list("tried_at", flat=True)[:most])
    if len(times) < most:
        return []
    lifted_at = rate_limits.last_lift(rate_limits.subject(Limit.FIND_CLIENT, client_address))
    return [] if lifted_at and times[-1] <= lifted_at else times


def _is_repeated(attempt: FindAttempt) -> bool:
    """Whether this client has tried this pair before: a repeat is no second guess."""
    same = {"client_address": attempt.client_address, "pair_hash": attempt.pair_hash}
    return _recent(phone_hash=attempt.phone_hash, **same).exists()


def _refuse(limit: Limit, attempt: FindAttempt, *, until: datetime) -> None:
    metrics.LIMITS.labels(limit.value).inc()
    logger.warning("Limit %s reached by client %s", limit, address_hash(attempt.client_address))
    raise TooManyTries(limit, until)


def _recent(**which: str | None) -> QuerySet[FindAttempt]:
    return FindAttempt.objects.filter(tried_at__gt=timezone.now() - _window(), **which)


def _window() -> timedelta:
    return timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)


def _keyed_hash(text: str) -> str:
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()
