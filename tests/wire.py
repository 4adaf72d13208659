"""A server that answers with exactly the bytes it is given, well or badly, and keeps what it got.

It knows nothing of the CRM but where a method's name stands in an address.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time
from typing import Protocol, Self
from urllib.parse import parse_qsl, urlsplit

ANY_METHOD = "*"


@dataclass(frozen=True, slots=True)
class Received:
    """One request: its bytes, and what they say."""

    raw: bytes
    connection: int

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def verb(self) -> str:
        return self.head.split(" ", 1)[0]

    @property
    def target(self) -> str:
        return self.head.split(" ", 2)[1]

    @property
    def method(self) -> str:
        """The CRM's method: "getReadyFlats", "getFreeTimes", "add"."""
        return urlsplit(self.target).path.strip("/").rpartition("/")[2]

    @property
    def headers(self) -> Mapping[str, str]:
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in lines}

    @property
    def params(self) -> dict[str, str]:
        text = urlsplit(self.target).query if self.verb == "GET" else self.body.decode()
        return dict(parse_qsl(text, keep_blank_values=True))


class Line:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, closing: threading.Event) -> None:
        self._sock = sock
        self._closing = closing
        self.is_open = True

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def wait(self, seconds: float | None = None) -> bool:
        """Pause; True as soon as the server is being closed."""
        return self._closing.wait(seconds)

    def hang_up(self) -> None:
        self.is_open = False

    def reset(self) -> None:
        """Leave with a TCP reset instead of a farewell."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_open = False

    def requests(self) -> Iterator[bytes]:
        """The complete requests that come in, until the other side leaves."""
        data = b""
        while self.is_open:
            while not _is_complete(data):
                more = self._sock.recv(65536)
                if not more:
                    return
                data += more
            yield data
            data = b""


class Behaviour(Protocol):
    """What the server does about one request."""

    def serve(self, line: Line) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. A `length` beyond the body's own cuts it; `clock_error` shifts its Date."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    length: int | None = None
    clock_error: float = 0.0

    def serve(self, line: Line) -> None:
        line.send(self.raw)
        if self.length is not None:
            line.hang_up()

    @property
    def raw(self) -> bytes:
        headers = [*self.headers, ("Date", formatdate(time() + self.clock_error, usegmt=True))]
        if self.status != 204:
            length = len(self.body) if self.length is None else self.length
            headers.append(("Content-Length", str(length)))
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{name}: {text}" for name, text in headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Bytes:
    """Any bytes at all, then the end."""

    data: bytes

    def serve(self, line: Line) -> None:
        line.send(self.data)
        line.hang_up()


@dataclass(frozen=True, slots=True)
class Drip:
    """One byte now and then, for ever if the data is."""

    data: bytes
    every: float = 0.02
    at_once: bytes = b""

    def serve(self, line: Line) -> None:
        line.send(self.at_once)
        for byte in self.data:
            if line.wait(self.every):
                break
            line.send(bytes([byte]))
        line.hang_up()


@dataclass(frozen=True, slots=True)
class Hang:
    """Never a byte."""

    def serve(self, line: Line) -> None:
        line.wait()
        line.hang_up()


@dataclass(frozen=True, slots=True)
class Reset:
    """The request is read, then the connection is reset."""

    def serve(self, line: Line) -> None:
        line.reset()


@dataclass(frozen=True, slots=True)
class HangUp:
    """The request is read, then the connection is closed in silence."""

    def serve(self, line: Line) -> None:
        line.hang_up()


@dataclass
class _Script:
    """What is done about the requests for one method, in turn; the last thing again and again."""

    behaviours: list[Behaviour] = field(default_factory=list)

    def next(self) -> Behaviour:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


class Wire:
    """The server, on a free loopback port; over TLS with a context.

    The first connections, `turns_away` of them, are closed before a word is said.
    """

    def __init__(
        self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None, turns_away: int = 0
    ) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._tls = tls
        self._turns_away = turns_away
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._scripts: dict[str, _Script] = defaultdict(_Script)
        self._socks: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.serve(*behaviours)

    def serve(self, *behaviours: Behaviour, on: str = ANY_METHOD) -> None:
        """Answer like this from now on, in turn, whatever is asked or only the method `on`."""
        if behaviours:
            self._scripts[on] = _Script(list(behaviours))

    def count(self, method: str) -> int:
        return sum(received.method == method for received in self.received)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        for sock in (self._listener, *self._socks):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._socks.append(sock)
            self.connections += 1
            if self.connections <= self._turns_away:
                sock.close()
                continue
            self._start(self._converse, sock, self.connections)

    def _converse(self, sock: socket.socket, connection: int) -> None:
        # Whatever the client does to the connection is its own affair: often it is the test.
        with contextlib.suppress(OSError), contextlib.closing(self._secured(sock)) as secured:
            line = Line(secured, self._closing)
            for raw in line.requests():
                received = Received(raw, connection)
                self.received.append(received)
                self._behaviour(received.method).serve(line)

    def _secured(self, sock: socket.socket) -> socket.socket:
        if self._tls is None:
            return sock
        try:
            return self._tls.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            raise

    def _behaviour(self, method: str) -> Behaviour:
        with self._lock:
            script = self._scripts.get(method) or self._scripts[ANY_METHOD]
            return script.next()


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _is_complete(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return bool(end) and len(body) >= sum(lengths)
