"""What a load balancer asks. Neither answer calls the CRM."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


class MigrationsPending(Exception):
    """The database is of an older version of the site."""


@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Able to serve: the database answers and has every migration."""
    try:
        _ask_the_database()
        _require_migrations()
    except DatabaseError:
        return HttpResponse("the database does not answer\n", "text/plain", status=503)
    except MigrationsPending:
        return HttpResponse("migrations are pending\n", "text/plain", status=503)
    return HttpResponse("ready\n", "text/plain")


def _ask_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@cache
def _require_migrations() -> None:
    """Looked at until there is nothing more to wait for: it is much work, and anybody may ask."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsPending
