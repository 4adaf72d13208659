"""Remember that the CRM rejects this site itself, so that no buyer can book."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from booking import shared_cache
from booking.crm import CallReport

METHODS = ("getReadyFlats", "getFreeTimes", "add")
# Seconds that the dashboard shows it after the last call.
GOOD_FOR = 24 * 3600


def note(report: CallReport) -> None:
    """Note a rejection until the same method succeeds: a read may work where `add` does not."""
    key = _key(report.method)
    if report.refuses_site:
        # Keep an earlier one: staff want to know since when.
        shared_cache.add(key, time.time(), GOOD_FOR)
    elif report.outcome in {"answered", "confirmed", "refused"} and shared_cache.get_many([key]):
        shared_cache.delete(key)


def since() -> datetime | None:
    """Since when the CRM has rejected this site, if it does."""
    found: dict[str, float] = shared_cache.get_many(map(_key, METHODS))
    return datetime.fromtimestamp(min(found.values()), UTC) if found else None


def _key(method: str) -> str:
    return f"crm-refusal:{method}"
