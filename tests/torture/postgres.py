"""A PostgreSQL of our own for as long as the tests run, from Debian's binaries. Nothing is kept."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.processes import HOST, PATIENCE, children_of, free_port

USER = "app"
SERVERS_USER = "postgres"  # PostgreSQL refuses to run as root


def binaries() -> Path | None:
    """Where Debian has put the newest server's, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class NoDisk(Exception):
    """Only root may mount one."""


class Postgres:
    """The server: on loopback, without fsync, in a folder that goes with it."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._port = free_port()
        self._disk: Path | None = None

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
        if self._disk:
            subprocess.run(["umount", self._disk], check=True)
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

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Stopped as a machine that swaps is: connections stay open, and nothing is answered."""
        postmaster = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        # The parent first, so that no child is born meanwhile.
        os.kill(postmaster, signal.SIGSTOP)
        children = children_of(postmaster)
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in (*children, postmaster):
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As a server is that has become a standby; connections that are open are meant, too."""
        self._set_read_only("= on")
        try:
            yield
        finally:
            self._set_read_only("= off")

    def _set_read_only(self, value: str) -> None:
        self.execute(f"ALTER SYSTEM SET default_transaction_read_only {value}", "postgres")
        self.execute("SELECT pg_reload_conf()", "postgres")

    def small_database(self, name: str, megabytes: int) -> str:
        """The address of a new database on a disk of its own. Raises NoDisk."""
        disk = self._folder / "disk"
        disk.mkdir()
        options = f"size={megabytes}m,uid={_uid()}"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            raise NoDisk(mounted.stderr)
        self._disk = disk
        self.execute(f"CREATE TABLESPACE small LOCATION '{disk}'", "postgres")
        self.execute(f"CREATE DATABASE {name} TABLESPACE small", "postgres")
        return self._url(name)

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        """Not a byte is left where the small database lies."""
        assert self._disk
        # Files may have holes until then: what stands in memory finds its place on the disk now.
        self.execute("CHECKPOINT", "postgres")
        filling = self._disk / "filling"
        with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            filling.unlink()

    def execute(self, statement: str, database: str) -> list[tuple[Any, ...]]:
        """What a statement returns, over a connection of its own."""
        with self.connection(database, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def connection(
        self, database: str, *, autocommit: bool = False
    ) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self._url(database), autocommit=autocommit)

    def wait_for_a_lock(self, database: str) -> None:
        """Until a statement waits for one."""
        ends_at = time.monotonic() + PATIENCE
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while not self.execute(waiting, database):
            if time.monotonic() > ends_at:
                raise TimeoutError("no statement waits for a lock")
            time.sleep(0.02)

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


def _uid() -> int:
    """The server's user's."""
    return pwd.getpwnam(SERVERS_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
