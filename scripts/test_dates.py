"""Runs the tests on other days and in another zone: `python scripts/test_dates.py [DAY ...]`.

A test that is green today may be red on a Sunday, on 29 February, over midnight, or from some day
on. Each run has the whole tree of its processes (pytest, gunicorn, the stand-in, PostgreSQL) at one
and the same shifted clock. Browsers are left out: Chromium starts its processes without it.

It needs a C compiler (Debian's gcc). A run takes five minutes; what pytest says of each lies in
var/dates/.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
# Where the tests say the house is: over midnight there, "tomorrow" becomes another day.
ZONE = ZoneInfo("Asia/Yekaterinburg")
# The last is far beyond every day that a test names.
DAYS = (
    "2026-11-26T12:00",
    "2026-12-01T12:00",
    "2026-12-31T23:58",
    "2028-02-29T12:00",
    "2036-08-17T12:00",
)
ZONES = ("Asia/Kamchatka",)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "days", nargs="*", help=f"of {', '.join(DAYS)}, or TZ={', TZ='.join(ZONES)}"
    )
    parser.add_argument("--tests", nargs="*", default=[], help="these alone")
    options = parser.parse_args()
    reports = ROOT / "var" / "dates"
    reports.mkdir(exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        library = _compiled(Path(folder))
        for day in options.days or [*DAYS, *(f"TZ={zone}" for zone in ZONES)]:
            report = reports / f"{re.sub('[^0-9A-Za-z]+', '-', day)}.txt"
            variables = _zone(day) if day.startswith("TZ=") else _clock(day, library)
            status = _test(variables, report, options.tests)
            print(f"{day:18} {report.read_text('utf-8').splitlines()[-1]}", flush=True)
            failed = failed or status != 0
    return int(failed)


def _compiled(folder: Path) -> Path:
    # For the tests that look what another user can read, too.
    folder.chmod(0o755)
    library = folder / "shifted_clock.so"
    source = ROOT / "scripts" / "shifted_clock.c"
    subprocess.run(
        ["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
    )
    return library


def _clock(day: str, library: Path) -> dict[str, str]:
    moment = datetime.fromisoformat(day).replace(tzinfo=ZONE)
    ahead = round((moment - datetime.now(ZONE)).total_seconds())
    return {"LD_PRELOAD": str(library), "SHIFT_CLOCK_BY": str(ahead)}


def _zone(day: str) -> dict[str, str]:
    return {"TZ": day.removeprefix("TZ=")}


def _test(variables: dict[str, str], report: Path, tests: list[str]) -> int:
    pytest = [sys.executable, "-X", "dev", "-m", "pytest", "-q", "-n", "auto"]
    command = [*pytest, "--dist", "worksteal", "-m", "not browser", *tests]
    with report.open("w", encoding="utf-8") as output:
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | variables, stdout=output, stderr=output, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
