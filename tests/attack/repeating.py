"""Requests that are made again and again beside something else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.torture.browser import Broken


@contextmanager
def running(work: list[Callable[[], int]]) -> Iterator[Counter[int]]:
    """Each again and again in a thread of its own; the statuses, 0 where a connection broke."""
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def repeat(ask: Callable[[], int]) -> None:
        while not over.is_set():
            try:
                statuses[ask()] += 1
            except Broken:
                statuses[0] += 1

    threads = [threading.Thread(target=repeat, args=(ask,)) for ask in work]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        over.set()
        for thread in threads:
            thread.join()
