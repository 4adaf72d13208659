"""Django's PostgreSQL, on connections whose every wait has an end (`booking.database.timeouts`).

psycopg waits for an answer without end. A server that is stopped (SIGSTOP) or swaps still
acknowledges every byte, so neither tcp_user_timeout nor keepalives notice, and statement_timeout is
kept by the very server that hangs. So the client watches the clock.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from booking.database.timeouts import NEVER, seconds, timeout

T = TypeVar("T")


class TimeoutConnection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Raises OperationalError, and closes the connection, when the time is up."""
        limit = seconds()
        if limit != NEVER:
            kwargs.setdefault("timeout", limit)
        try:
            return super().wait(gen, *args, **kwargs)
        except psycopg.errors._WaitTimeout as exc:
            # The answer may still come: nothing else can be read from this connection any more.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer of the database in {limit:g} s") from exc


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
        # Django offers no other way to choose the class.
        connection.__class__ = TimeoutConnection
        return connection

    def init_connection_state(self) -> None:
        is_limited = seconds() != NEVER
        with timeout(settings.DATABASE_CHECK_TIMEOUT):
            super().init_connection_state()
            if is_limited:
                self._limit_the_server()

    def _limit_the_server(self) -> None:
        """By a statement, not by `options` of the connection, which PgBouncer refuses."""
        limits = {
            "statement_timeout": settings.DATABASE_LONG_TIMEOUT,
            "lock_timeout": settings.DATABASE_LOCK_TIMEOUT,
        }
        with self.cursor() as cursor:
            for name, limit in limits.items():
                cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{limit:g}s"])

    def is_usable(self) -> bool:
        """A server that does not answer this soon is asked over a new connection."""
        with timeout(settings.DATABASE_CHECK_TIMEOUT):
            return super().is_usable()
