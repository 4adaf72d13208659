"""HTTP connections that keep the deadline of a whole call, and know whether anything has left.

The timeouts of `requests` are per read of the socket: a server that sends one byte now and then
keeps a thread for ever. Here every wait on the socket gets what is left of the call, so nothing has
to be abandoned in a thread of its own. The one wait beyond our reach is the resolver's.
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
    """One call of the CRM: what it may still take, and how far it has got.

    `is_sent` says whether its request has begun to leave, `http_status` how it was answered, and
    `retry_after` what pause that answer asked for.

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
        """What is left, never nothing. Raises TimeoutError at the deadline."""
        left = self.total - self.seconds
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return left

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within it, the connections of this thread keep this call's deadline."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Call] = ContextVar("the call of this thread")


class _DeadlineReader(io.RawIOBase):
    """A socket's reader of which no read outlasts the call."""

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
    """What the plain and the TLS connection have in common."""

    response_class = _DeadlineResponse

    def _new_conn(self) -> socket.socket:
        """A connected socket.

        urllib3 would give each address of the host the whole timeout; here they share one. What is
        left of it is the handshake's.
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
        """Send within the deadline, and note it first: from here on "not sent" is not certain."""
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
