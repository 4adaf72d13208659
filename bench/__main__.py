"""Measures, prints a table, and leaves with 1 if a goal is missed. Takes about eight minutes.

`make bench BENCH="--only warm --json"` hands options on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import bookings, calls, cold, estate, figures, hanging, journal, memory, warm, wrk
from bench.figures import Figure

SECTIONS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "warm": warm.measure,
    "cold": cold.measure,
    "calls": calls.measure,
    "hanging": hanging.measure,
    "estate": estate.measure,
    "memory": memory.measure,
    "journal": journal.measure,
    "bookings": bookings.measure,
}


def main() -> int:
    asked = _asked_for()
    if not wrk.is_installed():
        sys.stderr.write("wrk is missing: install Debian's package of that name.\n")
        return 2
    measured: dict[str, list[Figure]] = {}
    with TemporaryDirectory(prefix="bench-") as folder:
        for section in asked.only or SECTIONS:
            measured[section] = list(_shown(section, Path(folder), quietly=asked.json))
    if asked.json:
        sys.stdout.write(f"{figures.as_json(measured)}\n")
    found = [figure for section in measured.values() for figure in section]
    return int(any(figure.reached is False for figure in found))


def _shown(section: str, folder: Path, *, quietly: bool) -> Iterator[Figure]:
    """The figures of a section, each printed when it is there: the whole takes minutes."""
    out = sys.stderr if quietly else sys.stdout
    out.write(f"\n{section}\n")
    out.flush()
    for figure in SECTIONS[section](folder):
        out.write(f"{figures.as_line(figure)}\n")
        out.flush()
        yield figure


def _asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section alone")
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
