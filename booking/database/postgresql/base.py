"""Django's PostgreSQL, on connections whose every wait has an end (`booking.database.timeouts`).

psycopg waits for an answer without end. A server that is stopped (SIGSTOP) or swaps still
acknowledges every byte, so neither tcp_user_timeout nor keepalives notice, and statement_timeout is
kept by the very server that hangs. So the client watches the clock.

The connections come from Django's pool, one for each alias and process.
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
    def __init__(self, settings_dict: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(settings_dict, *args, **options)
        # The settings can't name a class.
        settings_dict["OPTIONS"]["pool"]["connection_class"] = TimeoutConnection

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        """One of the pool, which looks whether it still answers before it gives it."""
        with timeout(settings.DATABASE_CHECK_TIMEOUT):
            connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if seconds() == NEVER:
            self._limit(self.connection, lock=NEVER, statement=NEVER)

    def _configure_connection(self, connection: psycopg.Connection[Any]) -> bool:
        """What the pool does to each connection that it opens, in a thread of its own."""
        with timeout(settings.DATABASE_CHECK_TIMEOUT):
            # A hook of Django's that its stubs do not know.
            changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
            self._limit(
                connection,
                lock=settings.DATABASE_LOCK_TIMEOUT,
                statement=settings.DATABASE_LONG_TIMEOUT,
            )
        return changed

    def _limit(self, connection: psycopg.Connection[Any], **limits: float) -> None:
        """By a statement, not by `options` of the connection, which PgBouncer refuses."""
        for name, limit in limits.items():
            connection.execute(
                "SELECT set_config(%s, %s, false)", [f"{name}_timeout", f"{limit:g}s"]
            )
