"""`make demo`, in a folder where nothing has been run yet."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journey import hidden_fields
from tests.processes import HOST, free_port
from tests.torture.browser import Browser
from tests.variables import ROOT

PROGRAM = ("booking", "config", "locale", "scripts", "standin", "static", "templates")
FILES = (".env.example", "gunicorn.conf.py", "manage.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in PROGRAM:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@dataclass
class Demo:
    told: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        found = re.search(rf"The site +http://{HOST}:(\d+)/", self.told)
        assert found, self.told
        return int(found[1])

    @property
    def password(self) -> str:
        return self.told.partition("password ")[2].split()[0]


@contextmanager
def demo(folder: Path, port: str) -> Iterator[Demo]:
    """Runs until the block ends, and then as after Ctrl-C."""
    with subprocess.Popen(
        [sys.executable, "scripts/demo.py"],
        cwd=folder,
        env=os.environ | {"PORT": port},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        told = ""
        while "Ctrl-C" not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        try:
            yield Demo(told, process)
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
    assert (rest, process.returncode) == ("\nStopped.\n", 0)


@contextmanager
def port_8000_taken() -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # another program may have it already
            other.bind((HOST, 8000))
            other.listen()
        yield


def bookings(folder: Path) -> list[tuple[str, bool, bool, bool]]:
    """Outcome, and whether the visit was moved, was called off, is over."""
    with sqlite3.connect(folder / "var" / "demo.sqlite3") as journal:
        return journal.execute(
            "SELECT outcome, moved_at IS NOT NULL, called_off_at IS NOT NULL,"
            " starts_at < CURRENT_TIMESTAMP FROM booking_booking"
        ).fetchall()


def test_a_newcomer_sees_the_site_and_the_desk(folder):
    with port_8000_taken(), demo(folder, port="") as running:
        browser = Browser(HOST, running.port, address=HOST)
        houses = browser.get("/?category=flat").html
        login = browser.get("/admin/login/")
        cookie = "; ".join(f"{name}={value}" for name, value in login.cookies.items())
        form = {"username": "admin", "password": running.password, **hidden_fields(login.html)}
        desk = Browser(HOST, running.port, address=HOST, cookie=cookie).post("/admin/login/", form)

    assert running.port != 8000
    told = running.told.splitlines()
    assert [line[-1:] for line in told[:5]] == ["…", "…", "…", "…", ""]
    assert "+79001234567" in running.told
    assert len(told) == 13
    assert "Демонстрация" in houses
    assert "г. Екатеринбург, ул. Таёжная, 14" in " ".join(houses.split())
    assert desk.status == 302
    found = bookings(folder)
    outcomes, moved, called_off, over = zip(*found, strict=True)
    expected = {"confirmed": 10, "refused": 2, "not_sent": 1, "in_doubt": 1}
    assert Counter(outcomes) == expected
    assert (sum(moved), sum(called_off), sum(over)) == (1, 1, 1)
    log = (folder / "var" / "demo.log").read_text()
    assert "booking:confirm" in log
    assert running.password not in log


def test_the_bookings_outlive_the_demo_and_are_not_made_again(folder):
    with demo(folder, port=""):
        pass
    found = bookings(folder)
    port = free_port()

    with demo(folder, port=str(port)) as running:
        assert running.port == port

    assert bookings(folder) == found


def test_two_that_start_at_once_have_a_port_each(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(folder, other, dirs_exist_ok=True)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(stack.enter_context, demo(own, port="")) for own in (folder, other)]
        demos = [each.result() for each in running]
        assert len({each.port for each in demos}) == 2


@pytest.mark.parametrize(
    ("port", "told"),
    [
        ("{taken}", "port {taken} is taken by another program; leave out PORT for a free one"),
        ("web", "PORT is a number from 1 to 65535, not 'web'"),
    ],
)
def test_a_port_that_cannot_be_had_is_said_in_one_sentence(folder, port, told):
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "scripts/demo.py"],
            cwd=folder,
            env=os.environ | {"PORT": port.format(taken=taken)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"demo: {told.format(taken=taken)}\n"
