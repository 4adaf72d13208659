"""The client's network address, from X-Forwarded-For and the connection."""

from __future__ import annotations

import ipaddress
import logging
from time import monotonic

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

logger = logging.getLogger(__name__)

# One subscriber has a network of this size, with any address in it.
IPV6_SUBSCRIBER = 64
# Entries of X-Forwarded-For that are read, from the right: a client may send any number.
MOST_PROXIES = 9

# Seconds between two warnings of a process.
TOLD_EVERY = 3600

# By `monotonic()`.
_quiet_until = 0.0


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address, for IPv6 that of its network; None if there is none.

    Each trusted proxy appends its peer's address to X-Forwarded-For. No client can forge the entry
    that is TRUSTED_PROXIES from the right. A shorter list did not pass all proxies; then only the
    connection's address counts.
    """
    header = request.headers.get("X-Forwarded-For", "")
    forwarded = header.split(",") if header.strip() else []
    proxies, connection = settings.TRUSTED_PROXIES, request.META.get("REMOTE_ADDR", "")
    if not _comes_past_the_proxies(request.path_info):
        _tell(misfit(proxies, forwarded, connection))
    if proxies and len(forwarded) >= proxies:
        return _parsed(forwarded[-proxies])
    return _parsed(connection)


def _comes_past_the_proxies(path: str) -> bool:
    """Prometheus asks for the metrics from inside the network."""
    return bool(settings.METRICS_PATH) and path == f"/{settings.METRICS_PATH}"


def misfit(proxies: int, forwarded: list[str], connection: str) -> str:
    """Tell how a request contradicts TRUSTED_PROXIES, and what to set; else ""."""
    if not proxies:
        # With a public peer the header is forged; a unix socket has no address.
        if not connection or (forwarded and is_internal(_parsed(connection))):
            return (
                "TRUSTED_PROXIES is 0, and requests come through a proxy: all visitors share its"
                " address and its limits. Set it to the number of proxies in front of the site."
            )
        return ""
    if len(forwarded) < proxies:
        return (
            f"TRUSTED_PROXIES is {proxies}, and X-Forwarded-For names {len(forwarded)} addresses:"
            " visitors may share the address of a proxy and its limits. If the request came through"
            f" all proxies, set it to {len(forwarded)}, or have each of them append to the header."
        )
    if not is_internal(_parsed(forwarded[-proxies])):
        return ""
    further = range(proxies + 1, min(len(forwarded), MOST_PROXIES) + 1)
    public = [place for place in further if is_public(_parsed(forwarded[-place]))]
    if not public:
        return ""
    return (
        f"TRUSTED_PROXIES is {proxies}, and the address there is one of a proxy: all visitors share"
        f" it and its limits. Set it to {public[0]}, if there are so many proxies."
    )


def is_internal(address: str | None) -> bool:
    """Whether no visitor from the internet can have this address."""
    return address is not None and not ipaddress.ip_address(address).is_global


def is_public(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_global


def _tell(sentence: str) -> None:
    """Warn once an hour in each process, without an address: every request would repeat it."""
    global _quiet_until
    if sentence and monotonic() >= _quiet_until:
        _quiet_until = monotonic() + TOLD_EVERY
        logger.warning("%s", sentence)


def address_hash(address: str | None) -> str:
    """A keyed hash of an address for the log: equal addresses stay equal."""
    return salted_hmac("booking.client_address", address or "").hexdigest()[:12]


def _parsed(text: str) -> str | None:
    """Parse an address with or without a port; None for anything else ("unknown")."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    network = ipaddress.ip_network((int(address), IPV6_SUBSCRIBER), strict=False)
    return str(network.network_address)
