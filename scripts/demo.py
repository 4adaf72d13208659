"""`make demo`: the site and the stand-in CRM on this machine, until Ctrl-C.

Everything secret is made afresh and lives in the environment of the processes only. The bookings go
into a database of the demo's own, so that a demo can be run beside real ones.
"""

from __future__ import annotations

import argparse
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

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
LOGIN = "admin"
DOMAIN = "demo.example"
PATIENCE = 30  # seconds until the site must answer
# What gunicorn reads itself: it breaks off at an empty value, and is told both on its command line.
GUNICORN = {"PORT", "WEB_CONCURRENCY"}
FAREWELL = 15  # seconds in which a process that was told to stop must have done so


class DemoError(Exception):
    """Why there is no demo, in one sentence."""


class Stop:
    """Whether somebody has asked us to stop."""

    asked = False

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the site")
    port = parser.parse_args().port
    stop = Stop()
    try:
        _run(port, stop)
    except DemoError as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1
    print("\nStopped.")
    return 0


def _run(port: int, stop: Stop) -> None:
    if not _is_free(port):
        raise DemoError(
            f"port {port} is taken by another program; stop it, or take another port:"
            f" .venv/bin/python scripts/demo.py --port 8010"
        )
    crm_port = 8001 if port != 8001 and _is_free(8001) else _any_free_port()
    os.chdir(ROOT)
    os.environ.update(_environment(crm_port))
    print("Preparing the database and the static files…", flush=True)
    password = _prepare()
    with ExitStack() as children:
        processes = {
            "the stand-in CRM": _start(
                children, "manage.py", "standin", *_stand_in_arguments(crm_port), DEBUG="true"
            ),
            "the site": _start(children, "-m", "gunicorn", *_gunicorn_arguments(port)),
        }
        _wait(stop, processes, until=lambda: _answers(port), patience=PATIENCE)
        if not stop.asked:
            print(_introduction(port, password), flush=True)
        _wait(stop, processes)


def _environment(crm_port: int) -> dict[str, str]:
    """Whatever a `.env` file says, a demo has to do with nothing real."""
    var = ROOT / "var"
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
        "DATABASE_URL": f"sqlite:///{var / 'demo.sqlite3'}",
        "CACHE_URL": f"filecache://{var / 'demo-cache'}",
        "MACROCRM_URL": f"http://{HOST}:{crm_port}",
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

    (ROOT / "var").mkdir(exist_ok=True)
    django.setup()
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


def _stand_in_arguments(port: int) -> list[str]:
    # With a ledger it still has the bookings that an earlier demo left in the database.
    return ["--port", str(port), "--ledger", "var/demo-ledger.jsonl"]


def _gunicorn_arguments(port: int) -> list[str]:
    return [
        "config.wsgi",
        *("--bind", f"{HOST}:{port}"),
        *("--workers", "2"),
        *("--graceful-timeout", str(FAREWELL - 5)),
        *("--log-level", "warning"),
    ]


def _start(children: ExitStack, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start a Python of ours that is stopped when the stack is left."""
    # A session of its own: Ctrl-C reaches us alone, and we stop the processes one after another.
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | variables,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    children.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(
    stop: Stop,
    processes: dict[str, subprocess.Popen[bytes]],
    *,
    until: Callable[[], bool] = lambda: False,
    patience: float | None = None,
) -> None:
    """Wait for the stop or the condition. Raises DemoError if a process ends or time runs out."""
    deadline = time.monotonic() + patience if patience else None
    while not stop.asked and not until():
        for name, process in processes.items():
            if process.poll() is not None:
                raise DemoError(f"{name} has ended by itself (status {process.returncode})")
        if deadline and time.monotonic() > deadline:
            raise DemoError(f"the site does not answer after {patience:g} seconds")
        time.sleep(0.2)


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections have just been closed is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _introduction(port: int, password: str) -> str:
    from standin import ACCEPTED_PHONE, REFUSED_PHONE

    return f"""
  The site             http://{HOST}:{port}/
  For staff            http://{HOST}:{port}/admin/   login {LOGIN}   password {password}

  Phone accepted       {ACCEPTED_PHONE}  (for every flat)
  Phone refused        {REFUSED_PHONE}

  The CRM is a stand-in ({os.environ["MACROCRM_URL"]}): no booking reaches a developer.
  Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
