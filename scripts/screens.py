"""Takes a picture of every page in every state, on phones and screens, light and dark.

The states are those that the tests in the browser visit. Needs Chromium: CHROMIUM names it, else
Debian's is taken.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VISIT = ["tests/browser/screens.py", "-q", "--show-capture=no", "-p", "no:randomly"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screens")
    parser.add_argument("-k", dest="states", default="", help="only these states, as pytest's -k")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    os.environ["SCREENS"] = str(folder)
    status = pytest.main([*VISIT, "-k", arguments.states])
    print(f"The pictures are in {folder}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
