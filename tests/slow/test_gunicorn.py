"""What `gunicorn.conf.py` promises, kept by a real gunicorn."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from booking.query import LONGEST_ANSWER, LONGEST_SOURCE, SOURCES
from standin import StandIn
from tests import journey
from tests.processes import DOMAIN, HOST, PATIENCE, ZONE, Process, Site, free_port
from tests.torture.browser import Browser
from tests.variables import ROOT, environment

# Puts the folder of the figures where the test can look for it.
STARTER = """
import sys, tempfile
make = tempfile.mkdtemp
tempfile.mkdtemp = lambda prefix, dir: make(prefix=prefix, dir={folder!r})
from gunicorn.app.wsgiapp import run
run()
"""


def start(folder: Path, *options: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """What the command leaves that starts gunicorn with its figures in this folder."""
    variables = environment(
        DJANGO_SETTINGS_MODULE="tests.site_settings",
        DATABASE_URL=f"sqlite:///{folder / 'journal.sqlite3'}",
        **changes,
    )
    bind = ("--bind", f"{HOST}:{free_port()}", "--workers", "1")
    return subprocess.run(
        [sys.executable, "-c", STARTER.format(folder=str(folder)), "config.wsgi", *bind, *options],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def figures(folder: Path) -> list[Path]:
    return list(folder.glob("figures-*"))


def has_ended(pid: int) -> bool:
    """Whether a process runs no more; it stays a zombie where pid 1 does not reap orphans."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def wait_until(happened: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def test_a_daemon_takes_its_figures_with_it(tmp_path):
    note = tmp_path / "pid"
    start(tmp_path, "--daemon", "--pid", str(note))
    wait_until(note.exists)
    assert len(figures(tmp_path)) == 1
    pid = int(note.read_text())

    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: has_ended(pid))

    assert figures(tmp_path) == []


@pytest.mark.parametrize("options", [(), ("--daemon",)])
def test_a_start_that_fails_leaves_no_figures(tmp_path, options):
    start(tmp_path, *options, MACROCRM_APP_SECRET="")

    wait_until(lambda: not figures(tmp_path))


def listens(socket_file: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(socket_file)) == 0


def ask_over(socket_file: Path, path: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(socket_file))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_a_unix_socket(tmp_path, workers):
    file = tmp_path / "site.socket"
    variables = environment(
        DJANGO_SETTINGS_MODULE="tests.site_settings",
        DATABASE_URL=f"sqlite:///{tmp_path / 'journal.sqlite3'}",
    )
    command = ("-m", "gunicorn", "config.wsgi", "--bind", f"unix:{file}", "--workers", workers)
    with Process(*command, variables=variables, log=tmp_path / "log"):
        wait_until(lambda: listens(file))
        answers = [ask_over(file, "/healthz/") for _time in range(4)]

    assert {answer.splitlines()[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
    assert not file.exists()
    assert "error" not in (tmp_path / "log").read_text().lower()


@pytest.fixture
def buyer(tmp_path: Path) -> Iterator[Browser]:
    with StandIn(domain=DOMAIN, zone=ZONE) as crm:
        database = f"sqlite:///{tmp_path / 'journal.sqlite3'}"
        with Site(folder=tmp_path, crm_url=crm.url, database_url=database, workers=1) as site:
            yield Browser(HOST, site.port, address=HOST)


def test_the_longest_link_that_the_guide_allows_is_served(buyer):
    source = dict.fromkeys(SOURCES, "Ж" * LONGEST_SOURCE)
    flat = {"category": "flat", "house": journey.HOUSE, "flat": journey.FLAT}
    unlisted = {"category": "storageroom", "house": journey.HOUSE, "flat": "Ж" * LONGEST_ANSWER}
    when = {"date": "2026-12-01", "lang": "en"}

    times = buyer.get("/?" + urlencode(flat | source | when))

    assert times.status == 302
    assert len(times.location) > 7200
    assert buyer.get(times.location).status == 200
    assert buyer.get("/?" + urlencode(unlisted | source | when)).status == 200
