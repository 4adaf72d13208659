"""`make outages`: breaks PostgreSQL under a running site and tells what each page said, in a table.

In two minutes, on loopback. A full disk is a small one that only root may mount.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from standin import StandIn
from tests.outages.visitors import Seen, Visitors
from tests.processes import DOMAIN, ZONE, Site
from tests.torture.postgres import NoDisk, Postgres, binaries

MEGABYTES = 64
ROUNDS = 3
FULL = "disk full"


def main() -> int:
    found = binaries()
    if found is None:
        sys.exit("PostgreSQL is missing: install Debian's package postgresql.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="outages-")))
        postgres = stack.enter_context(Postgres(found))
        crm = stack.enter_context(StandIn(domain=DOMAIN, zone=ZONE))
        faults = {"hangs": postgres.hung, "down": postgres.stopped, "read-only": postgres.read_only}
        try:
            address = postgres.small_database("small", MEGABYTES)
        except NoDisk as exc:
            _say(f"Without a full disk: {exc}")
            address = postgres.database("large")
        else:
            faults[FULL] = postgres.disk_full
        site = stack.enter_context(Site(folder=folder, crm_url=crm.url, database_url=address))
        visitors = Visitors(site, crm)
        for name, fault in faults.items():
            _report(name, fault, visitors)
    return 0


def _report(
    name: str, fault: Callable[[], AbstractContextManager[None]], visitors: Visitors
) -> None:
    visitors.come_in_a_crowd()
    visitors.fill_in()
    with fault():
        if name == FULL:
            visitors.press_until_refused()
        rounds = [visitors.look() for _round in range(ROUNDS)]
        crowd = visitors.come_in_a_crowd()
    back = visitors.wait_until_back()
    _say(f"\n{name}: every page is served again {back:.1f} s later, the same form too")
    for page in rounds[0]:
        seen = [each[page] for each in rounds]
        _say(_row(page, seen))
    _say(_row("a crowd of 40 at once", crowd))


def _row(page: str, seen: list[Seen]) -> str:
    said = ", ".join(dict.fromkeys(f"{each.status} {each.words}" for each in seen))
    times = sorted(each.seconds for each in seen)
    return f"| {page} | {said} | {times[0]:.1f}-{times[-1]:.1f} s |"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
