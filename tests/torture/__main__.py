"""`make torture`: the long form.

Ends with status 1 if anything is lost, doubled or false, or a page broke (500). What the site has
logged stays in var/torture.log.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.torture.run import Result, Torture, run
from tests.variables import ROOT


def main() -> int:
    torture = _asked_for()
    _say(f"{torture.bookings} buyers, {torture.kills} kills, seed {torture.seed}")
    began_at = time.monotonic()
    with TemporaryDirectory(prefix="torture-") as folder:
        result = run(torture, Path(folder))
    _say(report(result))
    _say(f"{'seconds':<16} {time.monotonic() - began_at:.0f}")
    (ROOT / "var" / "torture.log").write_text(result.site_log, "utf-8")
    return 0 if result.verdict.is_clean and not result.pages[500] else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(result: Result) -> str:
    verdict = result.verdict
    lines = {
        "bookings asked": result.asked,
        "workers killed": result.killed,
        "connections cut": result.broken,
        "pages by status": _counts(result.pages),
        "calls of add": result.calls,
        "ledger entries": result.entries,
        "rows when killed": _counts(Counter(row.outcome for row in result.left)),
        "rows by outcome": _counts(Counter(row.outcome for row in result.rows)),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "false": len(verdict.false),
        "still sending": len(verdict.sending),
        "trail untrue": len(verdict.untold),
        "moved or off": sum(row.is_over for row in result.rows),
        "expected twice": len(verdict.twice),
        "expected, moved": len(verdict.stale),
    }
    offences = (
        *(*verdict.lost, *verdict.doubled, *verdict.false, *verdict.untold),
        *(*verdict.twice, *verdict.stale),
    )
    return "\n".join(
        (*(f"{name:<16} {value}" for name, value in lines.items()), *map(str, offences))
    )


def _counts(counts: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _asked_for() -> Torture:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--bookings", type=int, default=500)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--database-url", default="", help="a throw-away SQLite file if not given")
    return Torture(**vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
