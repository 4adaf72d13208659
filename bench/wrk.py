"""Load by wrk: as many requests as some connections that never pause get answered."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPORT = Path(__file__).with_name("report.lua")
# Before the first run: templates are compiled, connections opened.
WARM_UP = 1
# A share that may be turned away: the connections are not spread evenly over the workers.
TURNED_AWAY = 0.01
SECONDS = 2
RUNS = 5
CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run has seen; latencies in seconds."""

    requests: int
    rate: float  # requests per second
    p50: float
    p99: float
    failed: int  # answers with status 400 and above
    broken: int  # connections, time-outs included


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def load(url: str, *, seconds: int = SECONDS, connections: int = CONNECTIONS) -> Load:
    """One run. Raises RuntimeError where connections break: then its figures mean nothing."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(REPORT), url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seen = json.loads(done.stdout.splitlines()[-1])
    if seen["broken"]:
        raise RuntimeError(f"{seen['broken']} connections to {url} broke")
    return Load(
        requests=seen["requests"],
        rate=seen["requests"] * 1e6 / seen["duration"],
        p50=seen["p50"] / 1e6,
        p99=seen["p99"] / 1e6,
        failed=seen["failed"],
        broken=seen["broken"],
    )


def side_by_side(urls: Sequence[str]) -> list[list[Load]]:
    """Five runs of each, in turns, so that whatever disturbs the machine disturbs all alike.

    Raises RuntimeError where answers are errors: those are faster than pages.
    """
    for url in urls:
        load(url, seconds=WARM_UP)
    turns = [[_sound(url) for url in urls] for _turn in range(RUNS)]
    return [list(runs) for runs in zip(*turns, strict=True)]


def rate(runs: Iterable[Load]) -> float:
    return median(run.rate for run in runs)


def p50(runs: Iterable[Load]) -> float:
    return median(run.p50 for run in runs)


def p99(runs: Iterable[Load]) -> float:
    return median(run.p99 for run in runs)


def share(runs: Sequence[Load], of: Sequence[Load]) -> float:
    """How the rates compare, turn by turn."""
    return median(one.rate / other.rate for one, other in zip(runs, of, strict=True))


def _sound(url: str) -> Load:
    run = load(url)
    if run.failed > TURNED_AWAY * run.requests:
        raise RuntimeError(f"{run.failed} of {run.requests} answers of {url} were errors")
    return run
