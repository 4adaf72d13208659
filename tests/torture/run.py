"""One run: start everything, let buyers book while workers die, then read and judge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.torture import plan, records
from tests.torture.buyers import Buyer, Progress
from tests.torture.door import Door
from tests.torture.judge import Row, Verdict, judge
from tests.torture.processes import Site, StandInProcess

BUYERS_AT_ONCE = 12
LATENCY = 0.1  # seconds that the stand-in takes for an answer
# The killer strikes up to so many seconds after a buyer has begun, among what all others do.
DELAY = 0.5
# How long the door stays shut, in seconds: beyond the second try of a call.
SHUT_FOR = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Torture:
    bookings: int
    kills: int
    seed: int
    workers: int = 2
    database_url: str = ""  # SQLite in the run's own folder, if empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    asked: int
    killed: int
    pages: Counter[int]
    broken: int
    calls: int
    entries: int
    # The journal when the site had stopped, and after the settling of what was overdue.
    left: list[Row]
    rows: list[Row]
    verdict: Verdict
    site_log: str


def run(torture: Torture, folder: Path) -> Result:
    """Raises RuntimeError or TimeoutError if a process does not do its part."""
    dice = random.Random(torture.seed)
    estate = plan.Estate.for_bookings(torture.bookings)
    with ExitStack() as stack:
        arguments = (*estate.arguments, "--latency", str(LATENCY), "--switch", "second_add=adds")
        standin = stack.enter_context(StandInProcess(folder, *arguments))
        door = Door(standin.address)
        database_url = torture.database_url or f"sqlite:///{folder / 'journal.sqlite3'}"
        site = Site(
            folder=folder,
            crm_url=door.url,
            database_url=database_url,
            workers=torture.workers,
        )
        stack.enter_context(site)
        for fault in plan.faults(dice):
            standin.fail(**fault)
        wishes = plan.wishes(estate, torture.bookings, dice)
        progress = Progress()
        killed = _let_them_book(site, door, wishes, progress, torture.kills, dice)
        site.stop()
        standin.recover()
        left = records.journal(site)
        _settle_what_is_overdue(site)
        rows, calls = records.journal(site), records.calls(standin)
    entries = records.ledger(standin.ledger)
    return Result(
        asked=progress.asked,
        killed=killed,
        pages=progress.pages,
        broken=progress.broken,
        calls=len(calls),
        entries=len(entries),
        left=left,
        rows=rows,
        verdict=judge(rows, entries, calls),
        site_log=site.log,
    )


def _let_them_book(
    site: Site,
    door: Door,
    wishes: Sequence[plan.Wish],
    progress: Progress,
    kills: int,
    dice: random.Random,
) -> int:
    """Returns how many workers were killed."""
    deaths = plan.moments(len(wishes), kills, dice)
    closures = plan.moments(len(wishes), 1 + kills // 10, dice)
    with ThreadPoolExecutor(BUYERS_AT_ONCE + 2) as pool:
        killer = pool.submit(_kill, site, progress, deaths, random.Random(dice.random()))
        porter = pool.submit(_shut, door, progress, closures)
        buyers = [pool.submit(Buyer(site, wish, progress).book) for wish in wishes]
        try:
            for buyer in buyers:
                buyer.result()
        finally:
            progress.end()
        porter.result()
        return killer.result()


def _kill(
    site: Site,
    progress: Progress,
    deaths: Sequence[int],
    dice: random.Random,
) -> int:
    for moment in deaths:
        progress.wait_for(moment)
        progress.over.wait(dice.uniform(0, DELAY))
        site.kill_a_worker(dice)
    return len(deaths)


def _shut(door: Door, progress: Progress, closures: Sequence[int]) -> None:
    for moment in closures:
        progress.wait_for(moment)
        door.shut()
        progress.over.wait(SHUT_FOR)
        door.open()


def _settle_what_is_overdue(site: Site) -> None:
    """As cron does. The deadline, most of a minute after the call, is not waited for but moved."""
    site.manage(
        *("shell", "--verbosity", "0", "--command"),
        "from datetime import timedelta\n"
        "from django.db.models import F\n"
        "from booking.models import Booking\n"
        "Booking.objects.update(deadline_at=F('deadline_at') - timedelta(hours=1))",
    )
    site.manage("settle_bookings")
