"""The one way to the stand-in. While it is shut, the CRM can't be reached: nothing is sent."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

CHUNK = 64 * 1024


class Door:
    """Passes connections on to `target`, until it is shut. Those that are through stay."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._address = (target[0], 0)
        self.open()

    @property
    def url(self) -> str:
        host, port = self._address
        return f"http://{host}:{port}"

    def open(self) -> None:
        """Listen, each time on the same port."""
        self._listener = socket.create_server(self._address, backlog=256)
        self._address = self._listener.getsockname()
        threading.Thread(target=self._let_in, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        # `close` alone would leave a thread that waits in `accept`, and the port open with it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _let_in(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it was shut
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                threading.Thread(target=_pass_on, args=(near, far), daemon=True).start()


def _pass_on(near: socket.socket, far: socket.socket) -> None:
    """What either side says goes to the other, until one of them goes."""
    other = {near: far, far: near}
    with near, far, suppress(OSError):
        while True:
            for side in select.select([near, far], [], [])[0]:
                said = side.recv(CHUNK)
                if not said:
                    return
                other[side].sendall(said)
