"""What work costs: seconds of this thread's processor time, so other work does not count."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# What grows with the length costs 4 times as much for 4 times the length, with its square 16 times.
LINEAR = 8
# Below it a measurement is mostly noise: nothing quadratic is so cheap at the lengths of the tests.
FLOOR = 0.002
# Python keeps its frames in blocks, and a loop whose calls happen to cross into a new block takes
# fifteen times as long: each try begins so many frames deeper than the one before.
DEEPER = 7

Work = Callable[[], object]


def cost(work: Work, tries: int = 3) -> float:
    """Of the cheapest of so many tries."""
    return min(_seconds(work, DEEPER * number) for number in range(tries))


def is_linear(work: Callable[[str], object], filling: Callable[[int], str], length: int) -> bool:
    """Whether four times the text costs about four times as much."""
    long = filling(4 * length)
    if cost(lambda: work(long), tries=1) < FLOOR:
        return True
    short = filling(length)
    return cost(lambda: work(long)) < max(FLOOR, LINEAR * cost(lambda: work(short)))


def _seconds(work: Work, depth: int) -> float:
    # What other tests have left behind is looked through at any time, in whoever's thread.
    gc.disable()
    try:
        began_at = time.thread_time()
        _deeper(work, depth)
        return time.thread_time() - began_at
    finally:
        gc.enable()


def _deeper(work: Work, frames: int) -> None:
    if frames:
        _deeper(work, frames - 1)
    else:
        work()
