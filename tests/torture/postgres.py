"""A PostgreSQL of our own for as long as the tests run, from Debian's binaries. Nothing is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.processes import HOST, free_port

USER = "app"
SERVERS_USER = "postgres"  # PostgreSQL refuses to run as root


def binaries() -> Path | None:
    """Where Debian has put the newest server's, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    """The server: on loopback, without fsync, in a folder that goes with it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._port = free_port()

    def __enter__(self) -> Self:
        # Directly under /tmp: every folder above the data must let the server's user through.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._folder, SERVERS_USER)
        locale = ("--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8")
        self._run("initdb", *locale, "--auth", "trust", "--username", USER)
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()
        shutil.rmtree(self._folder)

    def database(self, name: str) -> str:
        """The address of a new database."""
        self.execute(f"CREATE DATABASE {name}", "postgres")
        return self._url(name)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Down at once, with every connection broken, and up again in the end."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def execute(self, statement: str, database: str) -> list[tuple[Any, ...]]:
        """What a statement returns, over a connection of its own."""
        with psycopg.connect(self._url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def cut_all_connections(self) -> int:
        """As a failover or a firewall does; returns how many there were."""
        others = "FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
        return len(self.execute(f"SELECT pg_terminate_backend(pid) {others}", "postgres"))

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}@{HOST}:{self._port}/{database}"

    def _start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses={HOST}"
            f" -c unix_socket_directories={self._folder} -c fsync=off -c max_connections=300"
        )
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def _stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        data = ("--pgdata", str(self._folder / "data"))
        # Into a file, not a pipe: the server inherits it and would hold the pipe open.
        with (self._folder / "commands.log").open("ab") as log:
            subprocess.run(
                [self._binaries / program, *data, *arguments],
                user=SERVERS_USER if os.geteuid() == 0 else None,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                check=True,
            )
