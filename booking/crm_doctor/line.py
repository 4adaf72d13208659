"""Check the connection to the CRM: name, certificate, speed and clock. Nothing is signed."""

from __future__ import annotations

import io
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException, parse_headers
from typing import Any
from urllib.parse import urlsplit

from booking.crm import CRMConfig, trusted_roots
from booking.crm_doctor.findings import Finding, Stage, Verdict

# In seconds. A page waits at most 2.5 s for the CRM, and signatures expire.
SLOW = 2.0
CLOCK_TOLERANCE = 60
LEAST_DAYS = 14
LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A working connection. `clock_error`: seconds that our clock is ahead of the CRM's."""

    clock_error: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    host: str
    port: int
    over_tls: bool
    connect_timeout: float
    read_timeout: float


def check(config: CRMConfig) -> Stage[Line | None]:
    """Yield findings; return the line, or None if the CRM can't be reached."""
    place = _place(config)
    if not (yield from _name(place)):
        return None
    began_at = time.monotonic()
    try:
        sock = socket.create_connection((place.host, place.port), place.connect_timeout)
    except OSError as exc:
        yield _unreachable(place, exc)
        return None
    connected_in = time.monotonic() - began_at
    with sock:
        secured = yield from _security(place, sock)
        if secured is None:
            return None
        with secured:
            return (yield from _answer(place, secured, connected_in))


def _place(config: CRMConfig) -> _Place:
    url = urlsplit(config.base_url)
    over_tls = url.scheme == "https"
    return _Place(
        host=url.hostname or "",
        port=url.port or (443 if over_tls else 80),
        over_tls=over_tls,
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
    )


def _name(place: _Place) -> Stage[bool]:
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        advice = (
            "See whether MACROCRM_URL is spelt right and whether this machine can resolve names."
        )
        yield Finding("DNS", Verdict.WRONG, f"{place.host} has no address", advice)
        return False
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    yield Finding("DNS", Verdict.OK, f"{place.host}: {', '.join(addresses)}")
    return True


def _unreachable(place: _Place, error: OSError) -> Finding:
    timeout = isinstance(error, TimeoutError)
    why = f"nothing within {place.connect_timeout:g} s" if timeout else str(error.strerror or error)
    return Finding(
        "reachability",
        Verdict.WRONG,
        f"no connection to port {place.port} of {place.host}: {why}",
        "See whether MACROCRM_URL is right and whether a firewall lets this machine out.",
    )


def _security(place: _Place, sock: socket.socket) -> Stage[socket.socket | None]:
    """Connect, with TLS for https; None if that fails."""
    if not place.over_tls:
        yield Finding("TLS", Verdict.NOT_CHECKED, "plain http, which stays on this machine")
        return sock
    context = ssl.create_default_context(cafile=trusted_roots())
    try:
        secured = context.wrap_socket(sock, server_hostname=place.host)
    except ssl.SSLCertVerificationError as exc:
        advice = "MACROCRM_URL may name another host than the certificate does, or it ran out."
        yield Finding("TLS", Verdict.WRONG, f"not to be trusted: {exc.verify_message}", advice)
        return None
    except OSError as exc:
        advice = f"See whether port {place.port} of {place.host} speaks https."
        yield Finding("TLS", Verdict.WRONG, f"no handshake ({type(exc).__name__})", advice)
        return None
    yield _certificate(secured)
    return secured


def _certificate(sock: ssl.SSLSocket) -> Finding:
    certificate: dict[str, Any] = sock.getpeercert() or {}
    days = int((ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) // 86400)
    issuer = dict(part for parts in certificate["issuer"] for part in parts)
    name = issuer.get("organizationName") or issuer.get("commonName") or "somebody without a name"
    seen = f"{sock.version()}, certificate by {name}, {days} days left"
    if days < LEAST_DAYS:
        advice = "Ask whoever runs the CRM to renew it: the site will not connect without."
        return Finding("TLS", Verdict.WARNING, seen, advice)
    return Finding("TLS", Verdict.OK, seen)


def _answer(place: _Place, sock: socket.socket, connected_in: float) -> Stage[Line]:
    """Measure how fast the host answers GET /, and its clock."""
    began_at = time.monotonic()
    try:
        status, headers = _head(place, sock).split(b"\r\n", 1)
        date = parse_headers(io.BytesIO(headers)).get("Date", "")
    except (OSError, ValueError, HTTPException):
        seen = f"connected in {connected_in:.2f} s, but no HTTP answer to GET /"
        yield Finding("reachability", Verdict.WARNING, seen, "See what is found below.")
        return Line()
    yield _speed(status, connected_in, time.monotonic() - began_at)
    return (yield from _clock(date))


def _head(place: _Place, sock: socket.socket) -> bytes:
    """Read the head of the reply to GET /, within the deadline of a call. Raises OSError."""
    ends_at = time.monotonic() + place.read_timeout
    host = place.host.encode("idna").decode()
    sock.settimeout(place.read_timeout)
    sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        sock.settimeout(max(ends_at - time.monotonic(), 0.001))
        more = sock.recv(4096)
        if not more or len(head) > LONGEST_HEAD:
            raise ConnectionError("no complete head")
        head += more
    if not head.startswith(b"HTTP/"):
        raise ConnectionError("not HTTP")
    return head


def _speed(status: bytes, connected_in: float, answered_in: float) -> Finding:
    code = next(iter(status.split()[1:2]), b"").decode("ascii", "replace")
    seen = f"connected in {connected_in:.2f} s, HTTP {code} to GET / in {answered_in:.2f} s"
    if connected_in + answered_in > SLOW:
        advice = "Slow: buyers will often see days without their times. Ask whoever runs the CRM."
        return Finding("reachability", Verdict.WARNING, seen, advice)
    return Finding("reachability", Verdict.OK, seen)


def _clock(date: str) -> Stage[Line]:
    try:
        error = time.time() - parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        yield Finding("clock", Verdict.NOT_CHECKED, "the host does not tell its time")
        return Line()
    if abs(error) <= CLOCK_TOLERANCE:
        yield Finding("clock", Verdict.OK, f"within {max(abs(error), 1):.0f} s of the CRM's")
        return Line(error)
    side = "ahead of" if error > 0 else "behind"
    yield Finding(
        "clock",
        Verdict.WARNING,
        f"this machine's clock is {abs(error):.0f} s {side} the CRM's",
        "Set it by NTP. If the signature is refused, this is the probable cause.",
    )
    return Line(error)
