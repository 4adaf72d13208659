"""HTTP connections that keep a deadline for the whole call and record whether a byte was sent.

The timeouts of `requests` apply to each read of the socket, so a server that trickles bytes could
hold a thread forever. Here each wait on the socket gets the time left of the call. Only the name
resolver is beyond this deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Call:
    """One call of the CRM: its deadline and its progress.

    `is_sent`: a first byte was given to the network. `http_status` and `retry_after`: the status of
    its reply, and the pause that the reply asked for.

    Durations are in seconds.
    """

    def __init__(self, *, connect: float, total: float) -> None:
        self.connect = connect
        self.total = total
        self.is_sent = False
        self.tries = 0
        self.http_status: int | None = None
        self.retry_after: float | None = None
        self._began_at = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_at

    def has(self, seconds: float) -> bool:
        return self.total - self.seconds > seconds

    def left(self) -> float:
        """Seconds until the deadline, always positive. Raises TimeoutError after it."""
        left = self.total - self.seconds
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return left

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make this thread's connections keep this call's deadline."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Call] = ContextVar("the call of this thread")


class _DeadlineReader(io.RawIOBase):
    """A socket reader whose reads end at the call's deadline."""

    def __init__(self, reader: io.RawIOBase, sock: socket.socket) -> None:
        self._reader = reader
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_current.get().left())
        return self._reader.readinto(buffer)

    def close(self) -> None:
        self._reader.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _DeadlineConnection(HTTPConnection):
    """Base of the plain and the TLS connection."""

    response_class = _DeadlineResponse

    def _new_conn(self) -> socket.socket:
        """Connect a socket.

        urllib3 gives each address of the host the whole timeout; here they share one, and the TLS
        handshake gets the rest.
        """
        ends_at = time.monotonic() + min(_current.get().connect, _current.get().left())
        found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        failure: OSError = TimeoutError("no time left to connect")
        for behind, (family, kind, protocol, _name, address) in enumerate(found):
            share = (ends_at - time.monotonic()) / (len(found) - behind)
            if share <= 0:
                break
            sock = socket.socket(family, kind, protocol)
            try:
                _connect(sock, address, share)
                sock.settimeout(max(ends_at - time.monotonic(), 0.001))
            except OSError as exc:
                sock.close()
                failure = exc
            else:
                return sock
        raise failure

    def send(self, data: Any) -> None:
        """Send within the deadline. Set `is_sent` first: from here on "not sent" is uncertain."""
        if self.sock is None:
            self.connect()
        call = _current.get()
        self.sock.settimeout(call.left())
        call.is_sent = True
        super().send(data)


class _DeadlineTLSConnection(_DeadlineConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _DeadlineTLSConnection


POOLS = {"http": _Pool, "https": _TLSPool}


def _connect(sock: socket.socket, address: Any, timeout: float) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(timeout)
    sock.connect(address)
