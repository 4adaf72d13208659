"""Remembers that the CRM refuses this site itself: no buyer can mend that, and none can book."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import redis
from django.core.cache import cache

from booking.crm import CallReport

logger = logging.getLogger(__name__)

METHODS = ("getReadyFlats", "getFreeTimes", "add")
# Seconds. Where nobody calls any more, it is told for a day.
GOOD_FOR = 24 * 3600

T = TypeVar("T")


def note(report: CallReport) -> None:
    """Until the same method is answered: a read may work where a booking does not."""
    key = _key(report.method)
    if report.refuses_site:
        # Not over an earlier one: staff want to know since when.
        _tried(lambda: cache.add(key, time.time(), GOOD_FOR), otherwise=False)
    elif report.outcome in {"answered", "confirmed", "refused"} and _tried(
        lambda: cache.get(key), otherwise=None
    ):
        _tried(lambda: cache.delete(key), otherwise=False)


def since() -> datetime | None:
    """Since when the CRM refuses this site, if it does."""
    found: dict[str, float] = _tried(lambda: cache.get_many(map(_key, METHODS)), otherwise={})
    return datetime.fromtimestamp(min(found.values()), UTC) if found else None


def _key(method: str) -> str:
    return f"crm-refusal:{method}"


def _tried(step: Callable[[], T], *, otherwise: T) -> T:
    """A cache that does not work must not end a booking."""
    try:
        return step()
    except (OSError, redis.RedisError) as exc:
        logger.warning("The cache does not work: %s", exc)
        return otherwise
