"""`make demo`: the site and the stand-in CRM on this machine, until Ctrl-C.

Everything secret is made afresh and lives in the environment of the processes only. The bookings go
into a database of the demo's own, so that a demo can be run beside real ones.

    PORT=8010 make demo    on this port; else on the first free one from 8000 on
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
LOGIN = "admin"
DOMAIN = "demo.example"
PATIENCE = 60  # seconds until a process must answer
# What gunicorn reads itself: it breaks off at an empty value, and is told both on its command line.
GUNICORN = {"PORT", "WEB_CONCURRENCY"}
FAREWELL = 15  # seconds in which a process that was told to stop must have done so
FIRST_PORT = 8000
VAR = ROOT / "var"
DATABASE = VAR / "demo.sqlite3"
LEDGER = VAR / "demo-ledger.jsonl"
LOG = VAR / "demo.log"
SHOWN_LOG = LOG.relative_to(ROOT)


class DemoError(Exception):
    """Why there is no demo, in one sentence."""


class Stop:
    """Whether SIGINT or SIGTERM has come."""

    asked = False

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def main() -> int:
    stop = Stop()
    os.chdir(ROOT)
    VAR.mkdir(exist_ok=True)
    try:
        with LOG.open("wb") as log, ExitStack() as children:
            _run(Processes(children, log), stop)
    except DemoError as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1
    print("\nStopped.")
    return 0


def _run(processes: Processes, stop: Stop) -> None:
    # From now on, or another demo that starts meanwhile would share it: gunicorn reuses ports.
    taken = _take_port(os.environ.get("PORT", ""))
    port = taken.getsockname()[1]
    os.environ.update(_environment())
    is_new = not DATABASE.exists()
    if is_new:
        LEDGER.unlink(missing_ok=True)  # bookings that no journal knows
    _say("Starting the stand-in CRM")
    # With a ledger it still has the bookings that an earlier demo left in the database.
    stand_in = ("manage.py", "standin", "--port", "0", "--ledger", str(LEDGER))
    processes.start("the stand-in CRM", *stand_in, DEBUG="true")
    processes.wait(stop, until=lambda: bool(_crm_url()), patience=PATIENCE)
    os.environ["MACROCRM_URL"] = _crm_url()
    _say("Preparing the database and the static files")
    password = _prepare()
    if is_new:
        _say("Making some bookings")
        processes.run("scripts/demo_bookings.py")
    _say("Starting the site")
    with taken:
        processes.start("the site", "-m", "gunicorn", *_gunicorn_arguments(taken), inherits=taken)
    processes.wait(stop, until=lambda: _answers(port), patience=PATIENCE)
    if not stop.asked:
        print(_introduction(port, password), flush=True)
    processes.wait(stop)


def _say(what: str) -> None:
    print(f"{what}…", flush=True)


def _take_port(wanted: str) -> socket.socket:
    """Listen on the port of the environment, else on the first free one."""
    if not wanted:
        return next(filter(None, map(_bound, range(FIRST_PORT, 2**16))))
    if not (wanted.isascii() and wanted.isdigit() and 0 < int(wanted) < 2**16):
        raise DemoError(f"PORT is a number from 1 to 65535, not {wanted!r}")
    if taken := _bound(int(wanted)):
        return taken
    raise DemoError(f"port {wanted} is taken by another program; leave out PORT for a free one")


def _bound(port: int) -> socket.socket | None:
    """A socket that listens on this port, if it is free."""
    taken = socket.socket()
    # As servers do: a port whose last connections have just been closed is free.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port))
        taken.listen()
    except OSError:
        taken.close()
        return None
    return taken


def _environment() -> dict[str, str]:
    """Whatever a `.env` file says, a demo touches nothing real."""
    example = (ROOT / ".env.example").read_text("utf-8")
    names = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) - GUNICORN
    return dict.fromkeys(names, "") | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SECURE_SSL_REDIRECT": "false",
        "LOG_FORMAT": "LINE",
        "TRUSTED_PROXIES": "0",
        "TIME_ZONE": "Asia/Yekaterinburg",
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "MACROCRM_DOMAIN": DOMAIN,
        "MACROCRM_APP_SECRET": secrets.token_urlsafe(32),
        "SUPPORT_PHONE": os.environ.get("SUPPORT_PHONE", "+7 343 000-00-00"),
    }


def _prepare() -> str:
    """Migrate, collect the static files, and give the staff login a new password."""
    sys.path.insert(0, str(ROOT))
    import django
    from django.core.management import CommandError, call_command
    from django.core.management.base import SystemCheckError

    django.setup()
    logging.disable()  # it would come between the lines for the newcomer
    try:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
    except (SystemCheckError, CommandError) as exc:
        raise DemoError(f"the site cannot start. {exc}") from exc
    return _new_password()


def _new_password() -> str:
    from django.contrib.auth.models import User
    from django.db import connections

    password = secrets.token_urlsafe(12)
    user, _ = User.objects.get_or_create(username=LOGIN)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    connections.close_all()
    return password


def _gunicorn_arguments(taken: socket.socket) -> list[str]:
    return [
        "config.wsgi",
        *("--bind", f"fd://{taken.fileno()}"),
        *("--workers", "2"),
        *("--graceful-timeout", str(FAREWELL - 5)),
        *("--log-level", "warning"),
    ]


class Processes:
    """Pythons of ours that write into the log, and are stopped when the stack is left."""

    def __init__(self, children: ExitStack, log: IO[bytes]) -> None:
        self._children = children
        self._log = log
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        *arguments: str,
        inherits: socket.socket | None = None,
        **variables: str,
    ) -> None:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | variables,
            stdout=self._log,
            stderr=self._log,
            pass_fds=[inherits.fileno()] if inherits else [],
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop one after another
        )
        self._children.callback(_end, process)
        self._running[name] = process

    def run(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, *arguments], stdout=self._log, stderr=self._log, check=False
        )
        if done.returncode:
            raise DemoError(f"{arguments[0]} has failed; see {SHOWN_LOG}")

    def wait(
        self,
        stop: Stop,
        *,
        until: Callable[[], bool] = lambda: False,
        patience: float | None = None,
    ) -> None:
        """Wait for the stop or the condition. Raises DemoError if a process or time ends."""
        deadline = time.monotonic() + patience if patience else None
        while not stop.asked and not until():
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise DemoError(f"{name} has ended by itself; see {SHOWN_LOG}")
            if deadline and time.monotonic() > deadline:
                raise DemoError(
                    f"the site does not answer after {patience:g} seconds; see {SHOWN_LOG}"
                )
            time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _crm_url() -> str:
    """Where the stand-in says that it listens, on a port that the system gave it."""
    found = re.search(r"^Stand-in CRM: (\S+)$", LOG.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _introduction(port: int, password: str) -> str:
    from standin import ACCEPTED_PHONE, REFUSED_PHONE

    return f"""
  The site             http://{HOST}:{port}/
  For staff            http://{HOST}:{port}/admin/   login {LOGIN}   password {password}

  Phone accepted       {ACCEPTED_PHONE}  (for every flat)
  Phone refused        {REFUSED_PHONE}

  The CRM is a stand-in ({os.environ["MACROCRM_URL"]}): no booking reaches a developer.
  The log is {SHOWN_LOG}. Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
