"""`StandIn`: the state and its server as one object, for tests and for the command."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from standin.server import HOST, Server
from standin.state import State


class StandIn(State):
    """A MacroCRM of our own on a real socket, inside its `with` block. Loopback only.

    Port 0 takes a free one; the other keyword arguments are those of `State`.
    """

    def __init__(self, *, port: int = 0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._port = port
        self._server: Server | None = None

    def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        server = self._server = Server(self._port, self)
        self._port = server.server_port
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
        return f"http://{HOST}:{self._port}"
