"""Route the cache to its own connections, so that the journal never waits for it."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

CACHE = "cache"


class CacheRouter:
    """Choose the database of Django's cache table."""

    def db_for_read(self, model: Any, **_hints: object) -> str | None:
        return CACHE if _is_cache(model._meta.app_label) else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_hints: object) -> bool:
        if _is_cache(app_label):
            return db == (CACHE if connections[CACHE].vendor == "sqlite" else DEFAULT_DB_ALIAS)
        return db != CACHE


def _is_cache(app_label: str) -> bool:
    return app_label == "django_cache"
