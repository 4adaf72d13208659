"""What the stand-in holds and how it behaves. The server's threads share it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from standin import fixtures
from standin.faults import Fault, FaultPlan
from standin.fixtures import House
from standin.ledger import Entry, Ledger
from standin.request_log import Record, RequestLog
from standin.schedule import Schedule
from standin.switches import Switches

# For tests; a stand-in that runs for longer gets a secret of its own.
EXAMPLE_SECRET = "example-secret"  # noqa: S105


class State:
    """Keyword arguments that are not named here are switches."""

    def __init__(
        self,
        *,
        domain: str = "example.test",
        secret: str = EXAMPLE_SECRET,
        zone: str = "Asia/Yekaterinburg",
        houses: Iterable[House] | None = None,
        ledger: Path | None = None,
        **switches: Any,
    ) -> None:
        self.domain = domain
        self.secret = secret
        self.zone = ZoneInfo(zone)
        self.switches = self._first_switches = Switches().changed(**switches)
        self._restart(Ledger(ledger))
        self.build(fixtures.sample() if houses is None else houses)

    # How it behaves

    def switch(self, **switches: Any) -> None:
        """Change switches from the next request on. Raises SwitchError."""
        self.switches = self.switches.changed(**switches)

    def fail(self, method: str, kind: str, **details: Any) -> None:
        """Plan a fault (see `faults.Fault`): always, or `times` times, or with a `probability`."""
        self.faults.add(Fault(method=method, kind=kind, **details))

    def recover(self) -> None:
        """Lift all faults; calls that hang end without an answer."""
        self.faults.clear()

    def build(self, houses: Iterable[House]) -> None:
        """These houses instead of those there are."""
        self.houses = {house.id: house for house in houses}

    def hand_to_a_rival(self, house_id: str, start: datetime) -> None:
        """Take a slot as another client would."""
        self.schedule.hand_to_a_rival(house_id, start.astimezone(self.zone).replace(tzinfo=None))

    def reset(self) -> None:
        """No bookings, no faults, an empty log, the first switches."""
        self.faults.clear()
        self.switches = self._first_switches
        self._restart(Ledger())

    def _restart(self, ledger: Ledger) -> None:
        self.schedule = Schedule(ledger)
        self.faults = FaultPlan()
        self.log = RequestLog(self.secret)

    # What it holds and has seen

    @property
    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.switches.clock_skew)

    @property
    def now(self) -> datetime:
        """Wall time of the houses."""
        return self.clock.astimezone(self.zone).replace(tzinfo=None)

    @property
    def last_day(self) -> date:
        return self.now.date() + timedelta(days=self.switches.horizon_days)

    @property
    def requests(self) -> list[Record]:
        """The last ten thousand requests to the three methods, redacted, oldest first."""
        return self.log.records

    def count(self, method: str) -> int:
        return self.log.count(method)

    def wait_for(self, method: str, *, count: int = 1, timeout: float = 5) -> None:
        """Wait for this many requests. Raises TimeoutError."""
        if not self.log.wait_for(method, count=count, timeout=timeout):
            raise TimeoutError(f"fewer than {count} calls of {method} in {timeout} s")

    @property
    def ledger(self) -> list[Entry]:
        """The bookings taken, oldest first."""
        return self.schedule.entries

    def free_starts(self, house_id: str, *, days_ahead: int = 1) -> list[datetime]:
        """Free slots (aware) of the first day, at least `days_ahead` from today, that has any."""
        for days in range(days_ahead, days_ahead + 60):
            day = self.now.date() + timedelta(days=days)
            if slots := self.schedule.free(self.houses[house_id], day, self.switches):
                return [datetime.combine(day, start, self.zone) for start in slots]
        raise LookupError(f"house {house_id} has no free slot for two months")
