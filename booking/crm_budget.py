"""The budget of CRM calls of all processes: reads per minute, and the pauses that the CRM asks for.

The budget is a number of slots in the shared cache. A process that adds a slot may send a read; the
slot expires a minute later. The last slots are reserved for urgent reads, or days that are only
listed would take the calls of the day that a buyer looks at.
"""

from __future__ import annotations

import random
import time

from django.conf import settings

from booking import shared_cache
from booking.crm import CallReport

# Share of the budget reserved for more urgent calls, by urgency.
RESERVED = {0: 0.0, 1: 0.15, 2: 0.3}
# When to ask again for a slot, in seconds.
SOON = 0.25
# After a 429 without a Retry-After, and the most that one may ask for, in seconds.
PAUSE_OF_ITSELF = 5.0
LONGEST_PAUSE = 600.0
PAUSE = "crm-pause"


def note(report: CallReport) -> None:
    """Record the pause that a reply asks for; it holds for every method."""
    asked = report.retry_after
    if asked is None and report.reason == "busy":
        asked = PAUSE_OF_ITSELF
    if asked:
        seconds = min(asked, LONGEST_PAUSE)
        shared_cache.set(PAUSE, time.time() + seconds, seconds + 1)


def pause() -> float:
    """Seconds of the pause that are left."""
    until: float = shared_cache.get_many([PAUSE]).get(PAUSE, 0)
    return max(0.0, until - time.time())


def take(urgency: int) -> float:
    """Take a slot for one read. Returns 0, or in how many seconds to ask again."""
    if seconds := pause():
        return seconds
    slots = {f"crm-call:{number}" for number in range(settings.MACROCRM_CALLS_PER_MINUTE)}
    free = list(slots - shared_cache.get_many(slots).keys())
    # In random order, or all processes would compete for the same slot.
    random.SystemRandom().shuffle(free)
    spare = len(free) - int(len(slots) * RESERVED[urgency])
    # The cache counts whole seconds.
    taken = any(shared_cache.add(slot, True, 61) for slot in free[: max(0, spare)])
    return 0.0 if taken else SOON
