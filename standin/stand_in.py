"""`StandIn`: the state and its server as one object, for tests and for the command."""

from __future__ import annotations

import ipaddress
import threading
from types import TracebackType
from typing import Any, Self

from standin.server import Server
from standin.state import State


class NotLoopback(ValueError):
    """The address could be reached from other machines, and nothing has allowed that."""


class StandIn(State):
    """A MacroCRM of our own on a real socket, inside its `with` block.

    Port 0 takes a free one; the other keyword arguments are those of `State`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        **arguments: Any,
    ) -> None:
        if not (allow_remote or _is_loopback(host)):
            raise NotLoopback(f"{host} is not a loopback address")
        super().__init__(**arguments)
        self._address = (host, port)
        self._server: Server | None = None

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        server = Server(self._address, self)
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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
