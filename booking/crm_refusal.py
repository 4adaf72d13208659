"""Remember that the CRM rejects this site itself, so that no buyer can book."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from booking import shared_cache
from booking.crm import CallReport

METHODS = ("getReadyFlats", "getFreeTimes", "add")
# Seconds that the dashboard shows it after the last call.
GOOD_FOR = 24 * 3600
# Seconds before a process looks again for a rejection of another one that is over.
LOOK_EVERY = 60
WORKS = {"answered", "confirmed", "refused"}

# By key and the monotonic clock: nothing is to be cleared before.
_clear_until: dict[str, float] = {}


def note(report: CallReport) -> None:
    """Note a rejection until the same method succeeds: a read may work where `add` does not."""
    key = _key(report.method)
    if report.refuses_site:
        # Keep an earlier one: staff want to know since when.
        shared_cache.add(key, time.time(), GOOD_FOR)
        _clear_until.pop(key, None)
    elif report.outcome in WORKS and time.monotonic() >= _clear_until.get(key, 0):
        if shared_cache.get_many([key]):
            shared_cache.delete(key)
        _clear_until[key] = time.monotonic() + LOOK_EVERY


def since() -> datetime | None:
    """Since when the CRM has rejected this site, if it does."""
    found: dict[str, float] = shared_cache.get_many(map(_key, METHODS))
    return datetime.fromtimestamp(min(found.values()), UTC) if found else None


def _key(method: str) -> str:
    return f"crm-refusal:{method}"
