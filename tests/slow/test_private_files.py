"""What the site writes is its own user's; what a proxy serves is for all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import HOST, PATIENCE, free_port
from tests.variables import ROOT, environment

MANAGE = (sys.executable, "manage.py")


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user of the machine can enter; pytest's own are closed."""
    made = Path(tempfile.mkdtemp(prefix="handover-private-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def run(folder: Path, *command: str, settings: str = "tests.site_settings", **changes: str) -> str:
    """What a command prints that is started by a shell which keeps nothing to itself."""
    variables = environment(
        DJANGO_SETTINGS_MODULE=settings,
        DATABASE_URL=f"sqlite:///{folder}/var/journal.sqlite3",
        TESTS_STATIC_ROOT=str(folder / "static" / "collected"),
        **changes,
    )
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | variables,
        umask=0,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,  # brotli takes its time
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")
    }


def is_private(folder: Path) -> bool:
    found = modes(folder)
    return bool(found) and not [name for name, mode in found.items() if mode & 0o077]


def read_by_another_user(path: Path) -> str:
    """What `nobody` is told who wants to read a file."""
    done = subprocess.run(
        ["/bin/cat", str(path)],
        user="nobody",
        group="nogroup",
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return done.stderr.decode() or f"{len(done.stdout)} bytes"


as_root = pytest.mark.skipif(
    os.geteuid() != 0 and not os.environ.get("CI"), reason="only root can become another user"
)


def test_a_migrated_journal_is_its_users_alone(folder):
    run(folder, *MANAGE, "migrate", "--verbosity", "0")

    assert modes(folder)["var"] == 0o700
    assert modes(folder)["var/journal.sqlite3"] == 0o600
    assert is_private(folder / "var")


@as_root
def test_another_user_of_the_machine_reads_no_journal(folder):
    run(folder, *MANAGE, "migrate", "--verbosity", "0")
    # As it is where an operator has made the folder.
    (folder / "var").chmod(0o755)

    assert "Permission denied" in read_by_another_user(folder / "var" / "journal.sqlite3")


def test_gunicorn_keeps_its_log_and_the_journal_to_itself(folder):
    run(folder, *MANAGE, "migrate", "--verbosity", "0")
    log, pid = folder / "var" / "site.log", folder / "var" / "site.pid"
    bind = ("--bind", f"{HOST}:{free_port()}", "--workers", "1", "--pid", str(pid))
    write = ("--error-logfile", str(log), "--capture-output")

    run(folder, sys.executable, "-m", "gunicorn", "config.wsgi", *bind, *write, "--daemon")
    give_up = time.monotonic() + PATIENCE
    while "Booting worker" not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    found = modes(folder)
    os.kill(int(pid.read_text()), signal.SIGTERM)
    while pid.exists() and time.monotonic() < give_up:
        time.sleep(0.05)

    # It tells its number to all, and nothing else.
    assert found.pop("var/site.pid") == 0o644
    assert {name: mode for name, mode in found.items() if mode & 0o077} == {}
    assert "var/site.log" in found


@pytest.mark.parametrize("start", ["from config import settings", "import config.wsgi"])
def test_what_is_written_after_any_start_is_private(folder, start):
    file = folder / "export.csv"

    run(folder, sys.executable, "-c", f"{start}; open({str(file)!r}, 'w')")

    assert modes(folder)["export.csv"] == 0o600


@as_root
def test_collected_files_can_be_served_by_a_proxy(folder):
    run(
        folder,
        *MANAGE,
        *("collectstatic", "--noinput", "--verbosity", "0"),
        settings="tests.collected_settings",
    )

    found = modes(folder / "static")
    kinds = {Path(name).suffix for name in found}
    assert {"", ".css", ".gz", ".br", ".json"} <= kinds
    assert {mode for name, mode in found.items() if not Path(folder, "static", name).is_dir()} == {
        0o644
    }
    files = [path for path in (folder / "static").rglob("site.*") if path.is_file()]
    assert len(files) >= 6
    for path in files:
        assert read_by_another_user(path) == f"{path.stat().st_size} bytes"


@pytest.mark.parametrize("options", [(), ("--deploy",)])
def test_a_journal_that_others_can_read_is_told_with_the_command_that_mends_it(folder, options):
    run(folder, *MANAGE, "migrate", "--verbosity", "0")
    journal = folder / "var" / "journal.sqlite3"
    journal.chmod(0o644)

    told = run(folder, *MANAGE, "check", *options)

    (advice,) = [line for line in told.splitlines() if "booking.W002" in line]
    assert advice.endswith(f"chmod 600 {journal}")
    assert modes(folder)["var/journal.sqlite3"] == 0o644
    subprocess.run(["chmod", "600", str(journal)], check=True)
    assert "booking.W002" not in run(folder, *MANAGE, "check", *options)
