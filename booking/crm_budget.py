"""What the CRM bears of all processes together: reads in a minute, and the pauses that it asks for.

The budget is a number of slots in the shared cache; who adds one may send a read, and the slot is
free again a minute later. The last slots are for what is urgent: without them, the days that only
stand in a list would take the calls from the day that a buyer looks at.
"""

from __future__ import annotations

import random
import time

from django.conf import settings

from booking import shared_cache
from booking.crm import CallReport

# What is kept for calls that are more urgent, as a share of the budget.
RESERVED = {0: 0.0, 1: 0.15, 2: 0.3}
# When to ask again for a slot, in seconds.
SOON = 0.25
# After a 429 without a Retry-After, and the most that one may ask for, in seconds.
PAUSE_OF_ITSELF = 5.0
LONGEST_PAUSE = 600.0
PAUSE = "crm-pause"


def note(report: CallReport) -> None:
    """Whatever was asked: a pause is for every call."""
    asked = report.retry_after
    if asked is None and report.reason == "busy":
        asked = PAUSE_OF_ITSELF
    if asked:
        seconds = min(asked, LONGEST_PAUSE)
        shared_cache.set(PAUSE, time.time() + seconds, seconds + 1)


def pause() -> float:
    """For how many seconds the CRM wants no calls."""
    until: float = shared_cache.get_many([PAUSE]).get(PAUSE, 0)
    return max(0.0, until - time.time())


def take(urgency: int) -> float:
    """Take a slot for one read. Returns 0, or in how many seconds to ask again."""
    if seconds := pause():
        return seconds
    slots = {f"crm-call:{number}" for number in range(settings.MACROCRM_CALLS_PER_MINUTE)}
    free = list(slots - shared_cache.get_many(slots).keys())
    # Each process in another order, or they would all want the same.
    random.shuffle(free)
    spare = len(free) - int(len(slots) * RESERVED[urgency])
    # The cache counts whole seconds.
    taken = any(shared_cache.add(slot, True, 61) for slot in free[: max(0, spare)])
    return 0.0 if taken else SOON
