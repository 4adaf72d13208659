"""Django's migrate without the database timeout: indexing a million rows takes long."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.commands import migrate

from booking.database.routers import CACHE
from booking.database.timeouts import NEVER, timeout


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with timeout(NEVER):
            super().handle(*args, **options)
            # On SQLite the cache is a file of its own, without migrations: it may be deleted.
            call_command("createcachetable", database=CACHE, verbosity=0)
