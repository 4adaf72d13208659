"""Give connections back before waiting for something else: a process holds few."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections


def give_back(aliases: Iterable[str] = connections) -> None:
    """Return this thread's connections to the pool; the next statement takes one again."""
    for connection in map(connections.__getitem__, aliases):
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            connection.close()
