"""A process holds few connections, so none is held while something else is waited for."""

from __future__ import annotations

from django.db import connections


def give_back() -> None:
    """Return this thread's connections to the pool; the next statement takes one again."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "postgresql" and not connection.in_atomic_block:
            connection.close()
