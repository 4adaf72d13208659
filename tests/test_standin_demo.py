"""`make demo`, as far as it goes without a free port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from booking.standin import StandIn

ROOT = Path(__file__).resolve().parent.parent


def test_a_port_that_is_taken_is_said_in_one_sentence():
    with StandIn() as other:
        port = other.url.rpartition(":")[2]
        demo = subprocess.run(
            [sys.executable, "scripts/demo.py", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert demo.returncode == 1
    assert demo.stdout == ""
    assert demo.stderr.startswith(f"demo: port {port} is taken by another program; ")
    assert len(demo.stderr.splitlines()) == 1
