"""Runs a command beside a PostgreSQL and a Redis that live for as long as it does.

`python -m tests.services pytest -m slow`: the tests of that run use them (`settings`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from tests.processes import HOST, free_port
from tests.torture.postgres import Postgres, binaries

REDIS_STARTS_WITHIN = 10  # seconds


@contextmanager
def running_redis() -> Iterator[str]:
    """The address of an empty Redis on loopback that writes nothing to disk."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        options = ("--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no")
        log = Path(folder) / "log"
        server = subprocess.Popen(["redis-server", *options, "--dir", folder, "--logfile", log])
        try:
            _wait_until_it_answers(port)
            yield f"redis://{HOST}:{port}/0"
        finally:
            server.terminate()
            server.wait()


def _wait_until_it_answers(port: int) -> None:
    give_up = time.monotonic() + REDIS_STARTS_WITHIN
    with redis.Redis(HOST, port) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
            else:
                return


def main(command: list[str]) -> int:
    found = binaries()
    if found is None:
        return _complain(
            "PostgreSQL is missing: install Debian's packages postgresql, redis-server."
        )
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(found))
        addresses = {
            "TESTS_DATABASE_URL": postgres.database("site"),
            "TESTS_CACHE_URL": stack.enter_context(running_redis()),
        }
        return subprocess.run(command, env=os.environ | addresses, check=False).returncode


def _complain(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
