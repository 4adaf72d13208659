"""Runs a command beside a PostgreSQL that lives for as long as it does.

`python -m tests.with_postgres pytest -m slow`: the tests of that run use it (`settings`).
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.torture.postgres import Postgres, binaries


def main(command: list[str]) -> int:
    found = binaries()
    if found is None:
        sys.stderr.write("PostgreSQL is missing: install Debian's package postgresql.\n")
        return 2
    with Postgres(found) as postgres:
        address = {"TESTS_DATABASE_URL": postgres.database("site")}
        return subprocess.run(command, env=os.environ | address, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
