"""The site and the stand-in as processes that a test or a measurement starts, watches and ends."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psycopg
from psycopg.sql import SQL, Identifier

from tests.variables import NO_LIMITS, ROOT, environment

HOST = "127.0.0.1"
ZONE = "Asia/Yekaterinburg"
DOMAIN = "crm.example"
# Short, so that a call that hangs costs the run little. Seconds.
CONNECT_TIMEOUT = 1
READ_TIMEOUT = 1.5
PATIENCE = 30  # seconds until a process must answer or have ended


class Process:
    """A Python of ours; what it writes goes into `log`. Ended, if need be killed, on leaving."""

    def __init__(self, *arguments: str, variables: dict[str, str], log: Path) -> None:
        self._arguments = arguments
        self._variables = variables
        self._log = log
        self.printed = ""

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=ROOT,
                env=os.environ | self._variables,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end, as an operator would, and wait until it has."""
        self._process.terminate()
        try:
            printed, _log = self._process.communicate(timeout=PATIENCE)
            self.printed = printed.decode()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def first_line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().decode()

    def check(self) -> None:
        """Raises RuntimeError with what it wrote, if it has ended by itself."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._arguments} has ended: {self._log.read_text()[-2000:]}")


class StandInProcess(Process):
    """`manage.py standin`; what it holds and how it fails is reached by its control path."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.ledger = folder / "ledger.jsonl"
        command = ("manage.py", "standin", "--port", "0", "--zone", ZONE, "--domain", DOMAIN)
        super().__init__(
            *command,
            *("--ledger", str(self.ledger)),
            *arguments,
            variables=environment(DJANGO_SETTINGS_MODULE="config.settings", DEBUG="true"),
            log=folder / "standin.log",
        )

    def __enter__(self) -> Self:
        super().__enter__()
        self.url = self.first_line().split()[-1]
        return self

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def fail(self, **fault: Any) -> None:
        self._control("faults", fault)

    def recover(self) -> None:
        """No faults any more."""
        self._control("faults", verb="DELETE")

    def requests(self) -> dict[str, Any]:
        """The redacted log and the counts by method."""
        found: dict[str, Any] = self._control("requests")
        return found

    def _control(self, name: str, posted: object = None, *, verb: str = "GET") -> Any:
        request = Request(
            f"{self.url}/_stand-in/{name}",
            json.dumps(posted).encode() if posted else None,
            {"Content-Type": "application/json"},
            method="POST" if posted else verb,
        )
        with urlopen(request, timeout=PATIENCE) as response:
            return json.load(response)


def own_database(folder: Path) -> str:
    """The address of a new database of the kind that this run is on (`tests.with_postgres`)."""
    server = os.environ.get("TESTS_DATABASE_URL")
    if not server:
        return f"sqlite:///{folder / 'journal.sqlite3'}"
    name = f"site_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{server.rpartition('/')[0]}/{name}"


@dataclass(kw_only=True)
class Site:
    """The site on a database of its own, as it is deployed: gunicorn with its configuration."""

    folder: Path
    crm_url: str
    database_url: str
    workers: int = 2
    port: int = field(default_factory=lambda: free_port())
    variables: dict[str, str] = field(default_factory=dict)  # beyond or instead of the usual ones
    killed: int = 0

    def __enter__(self) -> Self:
        self.manage("migrate", "--verbosity", "0")
        bind = ("--bind", f"{HOST}:{self.port}")
        self._gunicorn = Process(
            *("-m", "gunicorn", "config.wsgi", *bind, "--workers", str(self.workers)),
            variables=self._variables,
            log=self.folder / "site.log",
        ).__enter__()
        try:
            self._wait_until_it_answers()
        except (RuntimeError, TimeoutError):
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Let the workers finish what they are sending, then end."""
        self._gunicorn.stop()

    @property
    def printed(self) -> str:
        """What it wrote to its standard output, once it is stopped."""
        return self._gunicorn.printed

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | self._variables,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def kill_a_worker(self, dice: random.Random) -> None:
        """As the kernel does when memory runs out: at once, without a word."""
        ends_at = time.monotonic() + PATIENCE
        while not (workers := self.worker_pids()):
            if time.monotonic() > ends_at:
                raise TimeoutError("the site has no workers any more")
            time.sleep(0.01)
        os.kill(dice.choice(workers), signal.SIGKILL)
        self.killed += 1

    def worker_pids(self) -> list[int]:
        """The children of the master that this very runner has started."""
        self._gunicorn.check()
        return children_of(self._gunicorn.pid)

    @property
    def log(self) -> str:
        return (self.folder / "site.log").read_text()

    @property
    def _variables(self) -> dict[str, str]:
        usual = {
            "DJANGO_SETTINGS_MODULE": "tests.site_settings",
            "SECURE_SSL_REDIRECT": "false",
            "TIME_ZONE": ZONE,
            "DATABASE_URL": self.database_url,
            "MACROCRM_URL": self.crm_url,
            "MACROCRM_DOMAIN": DOMAIN,
            "MACROCRM_CONNECT_TIMEOUT": str(CONNECT_TIMEOUT),
            "MACROCRM_READ_TIMEOUT": str(READ_TIMEOUT),
            **NO_LIMITS,
        }
        return environment(**usual | self.variables)

    def _wait_until_it_answers(self) -> None:
        ends_at = time.monotonic() + PATIENCE
        while not _is_alive(self.port):
            self._gunicorn.check()
            if time.monotonic() > ends_at:
                raise TimeoutError(f"the site does not answer: {self.log[-2000:]}")
            time.sleep(0.05)


def _is_alive(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def children_of(parent: int) -> list[int]:
    return [pid for pid in _all_pids() if _parent(pid) == parent]


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int | None:
    """None for a process that has ended meanwhile, or has and nobody has noticed (a zombie)."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
