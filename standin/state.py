"""The stand-in behind its socket: routes a request, keeps the state, decides what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from standin import protocol, responses
from standin.context import Desk, Refusal
from standin.faults import Fault, FaultPlan
from standin.fixtures import Estate
from standin.http_types import Request, Response
from standin.request_log import RequestLog
from standin.schedule import Diary
from standin.switches import METHODS, Switches

PREFIX = "/estate/transfer/"


@dataclass(kw_only=True)
class Office:
    """Everything that lives longer than a request. The server's threads share it."""

    domain: str
    secret: str = field(repr=False)
    zone: ZoneInfo
    estate: Estate
    diary: Diary
    switches: Switches
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(init=False)

    def __post_init__(self) -> None:
        self._defaults = self.switches
        self.log = RequestLog(self.secret)

    @property
    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.switches.clock_skew)

    def method_of(self, request: Request) -> str | None:
        name = request.path.removeprefix(PREFIX).removesuffix("/")
        return name if request.path.startswith(PREFIX) and name in METHODS else None

    def receive(self, method: str, request: Request) -> None:
        """Count the request and log it, before anything can go wrong with it."""
        self.log.add(
            method=method,
            verb=request.verb,
            params=self._params(request),
            content_type=request.content_type,
            at=self.clock,
        )

    def serve(self, method: str, request: Request, fault: Fault | None) -> Response:
        """The answer of a server that is well. `fault` matters only where it changes the state."""
        desk = self.desk()
        switches = desk.switches
        if turned_away := _turned_away(method, request, switches):
            return turned_away
        with_rival = fault is not None and fault.kind == "slot_just_taken"
        try:
            answer = protocol.answer(desk, method, self._params(request), with_rival=with_rival)
        except Refusal as refused:
            return responses.refusal(refused, switches)
        return responses.reply(answer, switches)

    def reset(self) -> None:
        """As it was at the start: no bookings, no faults, an empty log, the first switches."""
        self.switches = self._defaults
        self.faults.clear()
        self.diary.clear()
        self.log.clear()

    def _params(self, request: Request) -> dict[str, str]:
        switches = self.switches
        return request.params(
            json_bodies=switches.json_bodies == "read", query=switches.query_reads
        )

    def desk(self) -> Desk:
        """What a request meets that comes now."""
        return Desk(
            estate=self.estate,
            diary=self.diary,
            domain=self.domain,
            secret=self.secret,
            zone=self.zone,
            switches=self.switches,
            clock=self.clock,
        )


def _turned_away(method: str, request: Request, switches: Switches) -> Response | None:
    """A redirect to the path with its slash, or 405 with the verbs that would do."""
    if not request.path.endswith("/") and switches.slashless == "redirected":
        query = f"?{request.query}" if request.query else ""
        return Response(status=301, headers={"Location": f"{request.path}/{query}"})
    allowed = _allowed_verbs(method, switches)
    if request.verb not in allowed:
        return Response(status=405, headers={"Allow": ", ".join(allowed)})
    return None


def _allowed_verbs(method: str, switches: Switches) -> list[str]:
    if method == "add":
        return ["POST"]
    if method == "getFreeTimes":
        refused = {
            "GET": switches.free_times_get == "refused",
            "POST": switches.free_times_post == "405",
        }
        return [verb for verb in refused if not refused[verb]]
    return ["GET", "POST"]
