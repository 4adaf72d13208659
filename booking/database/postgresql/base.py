"""Django's PostgreSQL backend with a timeout on each wait (`booking.database.timeouts`).

psycopg waits without a limit. A server that is stopped (SIGSTOP) or swaps still acknowledges every
byte, so tcp_user_timeout and keepalives don't notice, and the server that hangs would have to
enforce statement_timeout. So the client watches the clock.

The connections come from Django's pool, one for each alias and process.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from booking.database.timeouts import NEVER, seconds, timeout

T = TypeVar("T")


class TimeoutConnection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Wait within the timeout; then close the connection and raise OperationalError."""
        limit = seconds()
        if limit != NEVER:
            kwargs.setdefault("timeout", limit)
        try:
            return super().wait(gen, *args, **kwargs)
        except psycopg.errors._WaitTimeout as exc:
            # The result may still come, so this connection can't be used any more.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer of the database in {limit:g} s") from exc


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, settings_dict: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(settings_dict, *args, **options)
        # The settings can't name a class.
        settings_dict["OPTIONS"]["pool"]["connection_class"] = TimeoutConnection

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        """Get a connection that works.

        The pool's own check pauses for a second after each dead one: two of them, after a restart
        of the server, and a page gave up though the server was back.
        """
        give_up_at = time.monotonic() + settings.DATABASE_CHECK_TIMEOUT
        while True:
            connection: psycopg.Connection[Any] = super().get_new_connection(conn_params)
            # Django has none for the server's own database, where those of tests are made.
            if self.pool is None:
                return connection
            try:
                with timeout(settings.DATABASE_CHECK_TIMEOUT):
                    self.pool.check_connection(connection)
            except psycopg.Error:
                self.pool.putconn(connection)
                # One that hangs takes all of this time, one that was cut none.
                if time.monotonic() >= give_up_at:
                    raise
            else:
                return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if seconds() == NEVER:
            self._limit(self.connection, lock=NEVER, statement=NEVER)

    def _configure_connection(self, connection: psycopg.Connection[Any]) -> bool:
        """Configure a new connection, in a thread of the pool."""
        with timeout(settings.DATABASE_CHECK_TIMEOUT):
            # A hook of Django that is missing in its stubs.
            changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
            self._limit(
                connection,
                lock=settings.DATABASE_LOCK_TIMEOUT,
                statement=settings.DATABASE_LONG_TIMEOUT,
            )
        return changed

    def _limit(self, connection: psycopg.Connection[Any], **limits: float) -> None:
        """Set timeouts by a statement, because PgBouncer refuses connection options."""
        for name, limit in limits.items():
            connection.execute(
                "SELECT set_config(%s, %s, false)", [f"{name}_timeout", f"{limit:g}s"]
            )
