"""Commands as somebody types them who follows a guide."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(commands: list[str], folder: Path, **variables: str) -> str:
    """What a shell prints that runs all of them one after another, and stops at the first fault."""
    script = "\n".join(["set -euo pipefail", *commands])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder)}
        | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
