"""`StandIn`: the server and its state as one object, for tests and for the command."""

from __future__ import annotations

import ipaddress
import threading
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from standin import fixtures
from standin.faults import Fault
from standin.fixtures import Estate
from standin.ledger import Entry, Ledger
from standin.request_log import Record
from standin.schedule import Diary
from standin.server import Server
from standin.state import Office
from standin.switches import Switches

# Opens nothing: whoever runs the stand-in for longer than a test gives a secret of their own.
EXAMPLE_SECRET = "example-secret"  # noqa: S105


class NotLoopback(ValueError):
    """The address could be reached from other machines, and nobody has allowed that."""


class StandIn:
    """A MacroCRM of our own on a real socket, from entering the `with` block to leaving it.

    Port 0 takes a free one. Keyword arguments that are not named here are switches.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        domain: str = "example.test",
        secret: str = EXAMPLE_SECRET,
        zone: str = "Asia/Yekaterinburg",
        estate: Estate | None = None,
        ledger: Path | None = None,
        **switches: Any,
    ) -> None:
        if not (allow_remote or _is_loopback(host)):
            raise NotLoopback(f"{host} is not a loopback address")
        self._address = (host, port)
        self._server: Server | None = None
        self._office = Office(
            domain=domain,
            secret=secret,
            zone=ZoneInfo(zone),
            estate=estate or fixtures.sample(),
            diary=Diary(Ledger(ledger)),
            switches=Switches().changed(**switches),
        )

    # The server

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        server = Server(self._address, self._office)
        self._address = (self._address[0], server.server_port)
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection. The state stays."""
        if self._server:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def domain(self) -> str:
        return self._office.domain

    @property
    def secret(self) -> str:
        return self._office.secret

    @property
    def estate(self) -> Estate:
        return self._office.estate

    # How it behaves

    def switch(self, **switches: Any) -> None:
        """Change switches from the next request on. Raises SwitchError."""
        self._office.switches = self._office.switches.changed(**switches)

    def fail(self, method: str, kind: str, **details: Any) -> None:
        """Plan a fault (see `faults.Fault`): always, or `times` times, or with a `probability`."""
        self._office.faults.add(Fault(method=method, kind=kind, **details))

    def recover(self) -> None:
        """No faults any more; calls that hang are let go without an answer."""
        self._office.faults.clear()

    def reset(self) -> None:
        self._office.reset()

    # What it holds and has seen

    @property
    def requests(self) -> list[Record]:
        """The last ten thousand requests to the three methods, redacted, oldest first."""
        return self._office.log.records

    def count(self, method: str) -> int:
        return self._office.log.count(method)

    def wait_for(self, method: str, *, count: int = 1, timeout: float = 5) -> None:
        """Wait until so many requests have come. Raises TimeoutError."""
        if not self._office.log.wait_for(method, count=count, timeout=timeout):
            raise TimeoutError(f"fewer than {count} calls of {method} in {timeout} s")

    @property
    def ledger(self) -> list[Entry]:
        """The bookings taken, oldest first."""
        return self._office.diary.entries

    def free_starts(self, house_id: str, *, days_ahead: int = 1) -> list[datetime]:
        """Free slots (aware) of the first day at least so far ahead that has any."""
        house = self.estate.houses[house_id]
        today = self._office.desk().now.date()
        for days in range(days_ahead, days_ahead + 60):
            day = today + timedelta(days=days)
            if slots := self._office.diary.free(house, day, self._office.switches):
                return [datetime.combine(day, start, self._office.zone) for start in slots]
        raise LookupError(f"house {house_id} has no free slot for two months")

    def hand_to_a_rival(self, house_id: str, start: datetime) -> None:
        """Somebody else takes the slot. An aware `start` is read in the houses' zone."""
        if start.tzinfo:
            start = start.astimezone(self._office.zone)
        self._office.diary.hand_to_a_rival(house_id, start.replace(tzinfo=None))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
