"""What work costs: seconds of this thread's processor time, so other work does not count."""

from __future__ import annotations

import time
from collections.abc import Callable

# What grows with the length costs 4 times as much for 4 times the length, with its square 16 times.
LINEAR = 8
# Below it a measurement is mostly noise: nothing quadratic is so cheap at the lengths of the tests.
FLOOR = 0.002


def cost(work: Callable[[], object], tries: int = 3) -> float:
    """Of the cheapest of so many tries."""
    return min(_once(work) for _ in range(tries))


def is_linear(work: Callable[[str], object], filling: Callable[[int], str], length: int) -> bool:
    """Whether four times the text costs about four times as much."""
    long = filling(4 * length)
    if cost(lambda: work(long), tries=1) < FLOOR:
        return True
    short = filling(length)
    return cost(lambda: work(long)) < max(FLOOR, LINEAR * cost(lambda: work(short)))


def _once(work: Callable[[], object]) -> float:
    began_at = time.thread_time()
    work()
    return time.thread_time() - began_at
