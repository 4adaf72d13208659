"""`make soak`: buyers in mixed journeys on two sites with PostgreSQL, and a failing CRM.

Ends with status 1 if a booking was lost, doubled or falsely told, a page broke, or memory grew.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from tests.processes import HOST, Site, StandInProcess
from tests.torture import plan, records
from tests.torture.browser import Broken, Browser
from tests.torture.buyers import Buyer, Progress
from tests.torture.judge import Row, Visit, judge
from tests.torture.plan import Wish
from tests.torture.postgres import Postgres, binaries
from tests.torture.run import settle_what_is_overdue

PAGES = "booking.observability.middleware"
BOOKINGS_A_MINUTE = 600  # more than two cores can serve: the buyers' number sets the pace
WARM_UP = 0.3  # of the run, after which memory should not grow any more
GROWTH = 1.25  # between then and the end; threads, pools and caches are full by then
FIGURES = {"METRICS_PATH": "figures/"}


@dataclass
class Memory:
    """The resident memory of all workers, in kB, looked at every few seconds."""

    sites: list[Site]
    seen: list[int] = field(default_factory=list)

    def look(self, over: threading.Event) -> None:
        while not over.wait(2):
            pids = [pid for site in self.sites for pid in site.worker_pids()]
            self.seen.append(sum(map(_resident, pids)))

    @property
    def growth(self) -> float:
        warm = self.seen[int(len(self.seen) * WARM_UP)]
        return self.seen[-1] / warm


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def main() -> int:
    asked = _asked_for()
    found = binaries()
    if found is None:
        sys.exit("PostgreSQL is missing: install Debian's package postgresql.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="soak-")))
        postgres = stack.enter_context(Postgres(found))
        dice = random.Random(asked.seed)
        count = round(asked.minutes * BOOKINGS_A_MINUTE)
        estate = plan.Estate.for_bookings(count)
        standin = stack.enter_context(StandInProcess(folder, *estate.arguments, "--latency", "0.1"))
        address = postgres.database("soak")
        sites = [
            stack.enter_context(
                Site(
                    folder=_made(folder / name),
                    crm_url=standin.url,
                    database_url=address,
                    variables=FIGURES,
                )
            )
            for name in ("one", "two")
        ]
        for fault in plan.faults(dice):
            standin.fail(**fault)
        progress, memory = Progress(), Memory(sites)
        watching = threading.Thread(target=memory.look, args=(progress.over,))
        watching.start()
        _let_them_come(sites, plan.wishes(estate, count, dice), progress, asked, dice)
        progress.end()
        watching.join()
        for site in sites:
            site.stop()
        standin.recover()
        settle_what_is_overdue(sites[0])
        rows, entries = records.journal(sites[0]), records.ledger(standin.ledger)
        return _report(rows, entries, progress, memory, sites)


def _let_them_come(
    sites: list[Site],
    wishes: list[Wish],
    progress: Progress,
    asked: argparse.Namespace,
    dice: random.Random,
) -> None:
    ends_at = time.monotonic() + asked.minutes * 60
    waiting: Iterator[tuple[int, Wish]] = iter(enumerate(wishes))
    guard = threading.Lock()

    def come() -> None:
        while time.monotonic() < ends_at:
            with guard:
                number, wish = next(waiting, (0, None))
            if wish is None:
                return
            _visit(sites[number % len(sites)], wish, progress, looks_only=number % 3 != 0)

    with ThreadPoolExecutor(asked.buyers) as pool:
        visitors = [pool.submit(come) for _buyer in range(asked.buyers)]
        for visitor in visitors:
            visitor.result()


def _visit(site: Site, wish: Wish, progress: Progress, *, looks_only: bool) -> None:
    """From the front door to the times; one in three goes on and books."""
    browser = Browser(HOST, site.port, address=wish.address)
    place = {"category": wish.category, "house": wish.house_id}
    for path, query in (
        ("/", {"category": wish.category}),
        ("/", place),
        ("/time/", place | {"flat": wish.flat}),
        ("/time/", place | {"flat": wish.flat, "date": f"{wish.start:%Y-%m-%d}"}),
    ):
        try:
            progress.count(status=browser.get(f"{path}?{urlencode(query)}").status)
        except Broken:
            progress.count(broken=1)
    if not looks_only:
        Buyer(site, wish, progress).book()


def _report(
    rows: list[Row], entries: list[Visit], progress: Progress, memory: Memory, sites: list[Site]
) -> int:
    # Without the calls, of which the stand-in remembers the last ten thousand only.
    verdict = judge(rows, entries, [])
    outcomes = Counter(row.outcome for row in rows)
    lines = list(_lines(sites))
    seconds = sorted(line["seconds"] for line in lines if line["logger"] == PAGES)
    faults = Counter(line["traceback"].splitlines()[-1] for line in lines if _is_a_fault(line))
    offences = {
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "false": len(verdict.false),
        "sending": len(verdict.sending),
        "untold": len(verdict.untold),
        "broken pages": progress.pages[500],
        "broken connections": progress.broken,
    }
    figures = {
        "pages": len(seconds),
        "p50, p95, p99": ", ".join(f"{_part(seconds, part):.3f} s" for part in (0.5, 0.95, 0.99)),
        "pages by status": dict(sorted(progress.pages.items())),
        "rows by outcome": dict(outcomes),
        "memory of workers": f"{memory.seen[0]} -> {memory.seen[-1]} kB, x{memory.growth:.2f}",
    }
    for name, value in (figures | offences).items():
        sys.stdout.write(f"{name:<20} {value}\n")
    for fault, count in faults.most_common(5):
        sys.stdout.write(f"{count} x {fault[:200]}\n")
    return 1 if any(offences.values()) or memory.growth > GROWTH else 0


def _lines(sites: list[Site]) -> Iterator[dict[str, Any]]:
    for site in sites:
        for text in site.log.splitlines():
            if text.startswith("{"):
                yield json.loads(text)


def _is_a_fault(line: dict[str, Any]) -> bool:
    return line["logger"] == "django.request" and "traceback" in line


def _part(ordered: list[float], part: float) -> float:
    return ordered[int(len(ordered) * part)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--buyers", type=int, default=100, help="at once")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
