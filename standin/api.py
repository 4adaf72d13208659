"""The API's paths: from a request to the response of a server that is well."""

from __future__ import annotations

from standin import protocol, responses
from standin.http_types import Request, Response
from standin.state import State
from standin.switches import METHODS, Switches

PREFIX = "/estate/transfer/"


def method_of(request: Request) -> str | None:
    name = request.path.removeprefix(PREFIX).removesuffix("/")
    return name if request.path.startswith(PREFIX) and name in METHODS else None


def record(state: State, method: str, request: Request) -> None:
    state.log.add(method=method, verb=request.verb, params=_params(state, request), at=state.clock)


def serve(state: State, method: str, request: Request, *, with_rival: bool) -> Response:
    if turned_away := _turned_away(method, request, state.switches):
        return turned_away
    try:
        told = protocol.answer(state, method, _params(state, request), with_rival=with_rival)
    except protocol.Refusal as refused:
        return responses.refusal(refused, state.switches)
    return responses.reply(told, state.switches)


def _params(state: State, request: Request) -> dict[str, str]:
    return request.params(query_reads=state.switches.query_reads)


def _turned_away(method: str, request: Request, switches: Switches) -> Response | None:
    """A redirect to the path with its slash, or 405 with the verbs that are allowed."""
    if not request.path.endswith("/"):
        query = f"?{request.query}" if request.query else ""
        return Response(status=301, headers={"Location": f"{request.path}/{query}"})
    allowed = _allowed_verbs(method, switches)
    if request.verb not in allowed:
        return Response(status=405, headers={"Allow": ", ".join(allowed)})
    return None


def _allowed_verbs(method: str, switches: Switches) -> list[str]:
    if method == "add":
        return ["POST"]
    if method == "getReadyFlats":
        return ["GET", "POST"]
    served = {"GET": switches.free_times_get, "POST": switches.free_times_post}
    return [verb for verb, is_served in served.items() if is_served]
