"""One run: start everything, let buyers book while workers die, then read and judge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.processes import Site, StandInProcess, own_database
from tests.torture import plan, records
from tests.torture.buyers import Buyer, Progress, throw_in_a_large_form
from tests.torture.door import Door
from tests.torture.judge import Row, Verdict, judge

BUYERS_AT_ONCE = 12
LATENCY = 0.1  # seconds that the stand-in takes for an answer
# A mishap strikes up to so many seconds after a buyer has begun, among what all others do.
DELAY = 0.5
# How long the door stays shut, in seconds: beyond the second try of a call.
SHUT_FOR = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Torture:
    bookings: int
    kills: int
    seed: int
    workers: int = 2
    database_url: str = ""  # a new one of the kind that the tests run on, if empty


@dataclass(frozen=True, slots=True)
class Mishap:
    """Strikes soon after the buyers of these numbers have begun."""

    moments: Sequence[int]
    strike: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`left` is the journal when the site had stopped, `rows` after what was overdue is settled."""

    asked: int
    killed: int
    pages: Counter[int]
    broken: int
    calls: int
    entries: int
    left: list[Row]
    rows: list[Row]
    verdict: Verdict
    site_log: str


def run(
    torture: Torture, folder: Path, *, break_database: Callable[[], object] | None = None
) -> Result:
    """The database breaks as often as a worker is killed, if somebody says how.

    Raises RuntimeError or TimeoutError if a process does not do its part.
    """
    dice = random.Random(torture.seed)
    estate = plan.Estate.for_bookings(torture.bookings)
    progress = Progress()
    with ExitStack() as stack:
        standin = stack.enter_context(_standin(estate, folder))
        door = Door(standin.address)
        site = stack.enter_context(_site(torture, folder, door))
        for fault in plan.faults(dice):
            standin.fail(**fault)
        wishes = plan.wishes(estate, torture.bookings, dice)
        strikes: list[tuple[int, Callable[[], object]]] = [
            (torture.kills, lambda: site.kill_a_worker(dice)),
            (1 + torture.kills // 10, lambda: _shut_for_a_while(door, progress)),
            (1 + torture.kills // 10, lambda: call_off_a_visit(site)),
            (torture.kills, lambda: throw_in_a_large_form(site, dice.choice(wishes), progress)),
        ]
        if break_database:
            strikes.append((torture.kills, break_database))
        mishaps = [
            Mishap(plan.moments(len(wishes), count, dice), strike) for count, strike in strikes
        ]
        _let_them_book(site, wishes, progress, mishaps, dice)
        return _judged(site, standin, progress)


def _standin(estate: plan.Estate, folder: Path) -> StandInProcess:
    switches = ("--latency", str(LATENCY), "--switch", "second_add=moves")
    return StandInProcess(folder, *estate.arguments, *switches)


def _site(torture: Torture, folder: Path, door: Door) -> Site:
    return Site(
        folder=folder,
        crm_url=door.url,
        database_url=torture.database_url or own_database(folder),
        workers=torture.workers,
        variables={"MACROCRM_ADD_MOVES": "true"},
    )


def _let_them_book(
    site: Site,
    wishes: Sequence[plan.Wish],
    progress: Progress,
    mishaps: Sequence[Mishap],
    dice: random.Random,
) -> None:
    with ThreadPoolExecutor(BUYERS_AT_ONCE + len(mishaps)) as pool:
        happening = [pool.submit(_happen, mishap, progress, dice) for mishap in mishaps]
        buyers = [pool.submit(Buyer(site, wish, progress).book) for wish in wishes]
        try:
            for buyer in buyers:
                buyer.result()
        finally:
            progress.end()
            pool.shutdown(wait=False, cancel_futures=True)
        for mishap in happening:
            mishap.result()


def _happen(mishap: Mishap, progress: Progress, dice: random.Random) -> None:
    for moment in mishap.moments:
        progress.wait_for(moment)
        progress.over.wait(dice.uniform(0, DELAY))
        mishap.strike()


def call_off_a_visit(site: Site) -> None:
    """As staff do for a caller: any expected visit, perhaps one that is being moved."""
    site.manage(
        *("shell", "--verbosity", "0", "--command"),
        "from django.utils import timezone\n"
        "from booking import services\n"
        "from booking.models import Booking, VisitState, in_state\n"
        "expected = in_state(VisitState.EXPECTED, now=timezone.now())\n"
        "if visit := Booking.objects.filter(expected).order_by('?').first():\n"
        "    services.visits.change(visit, by='staff', note='-')",
    )


def _shut_for_a_while(door: Door, progress: Progress) -> None:
    door.shut()
    progress.over.wait(SHUT_FOR)
    door.open()


def _judged(site: Site, standin: StandInProcess, progress: Progress) -> Result:
    """Stops the site, settles what it left, and reads the records."""
    site.stop()
    standin.recover()
    left = records.journal(site)
    settle_what_is_overdue(site)
    rows, calls = records.journal(site), records.calls(standin)
    entries = records.ledger(standin.ledger)
    return Result(
        asked=progress.asked,
        killed=site.killed,
        pages=progress.pages,
        broken=progress.broken,
        calls=len(calls),
        entries=len(entries),
        left=left,
        rows=rows,
        verdict=judge(rows, entries, calls, records.replaced(standin.ledger)),
        site_log=site.log,
    )


def settle_what_is_overdue(site: Site) -> None:
    """As cron does. The deadline, most of a minute after the call, is not waited for but moved."""
    site.manage(
        *("shell", "--verbosity", "0", "--command"),
        "from datetime import timedelta\n"
        "from django.db.models import F\n"
        "from booking.models import Booking\n"
        "Booking.objects.update(deadline_at=F('deadline_at') - timedelta(hours=1))",
    )
    site.manage("settle_bookings")
