"""Which Chromium the tests start, and how."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

DEBIANS = "/usr/bin/chromium"
# No sandbox, since a pipeline runs as root; the rest keeps the browser from calling home.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable(environment: Mapping[str, str]) -> str:
    """The browser's path. Without one the tests are skipped, but in CI they fail."""
    path = environment.get("CHROMIUM") or DEBIANS
    if Path(path).is_file():
        return path
    reason = f"No Chromium at {path}: install Debian's package chromium or name one in CHROMIUM."
    if environment.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


# For a test of a journey, which must end the same way either way.
with_and_without_scripts = pytest.mark.parametrize(
    "browser_context_args", [True, False], ids=["scripts", "no scripts"], indirect=True
)
