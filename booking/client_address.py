"""Who is asking, as far as a network address tells."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

# One subscriber has a whole network of this size and may take any address of it.
IPV6_SUBSCRIBER = 64


def client_address(request: HttpRequest) -> str | None:
    """The address of the client, of an IPv6 client its network's; None if there is none.

    Each of the TRUSTED_PROXIES in front of us appends to X-Forwarded-For the address it was called
    from, so the entry that far from the right is the first one that no client can forge. A shorter
    list did not come through all of them, and then only the connection itself is believed.
    """
    header = request.headers.get("X-Forwarded-For", "")
    forwarded = header.split(",") if header.strip() else []
    proxies = settings.TRUSTED_PROXIES
    if proxies and len(forwarded) >= proxies:
        return _parsed(forwarded[-proxies])
    return _parsed(request.META.get("REMOTE_ADDR", ""))


def address_hash(address: str | None) -> str:
    """What stands for an address in the log: equal ones stay equal, none can be read."""
    return salted_hmac("booking.client_address", address or "").hexdigest()[:12]


def _parsed(text: str) -> str | None:
    """An address, with or without a port; None if it is none (a unix socket, "unknown")."""
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
