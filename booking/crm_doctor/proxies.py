"""Check TRUSTED_PROXIES against the addresses in the journal."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import Error

from booking.client_address import is_internal
from booking.crm_doctor.findings import Finding, Verdict
from booking.models import Booking

ROW = "proxies"
LATEST = 50
# Fewer bookings may all come from one office.
ENOUGH = 20
ADVICE = (
    "Set TRUSTED_PROXIES to the number of proxies in front of the site: visitors who seem to share"
    " an address share its limits."
)


def check() -> Iterator[Finding]:
    known = Booking.objects.exclude(client_address=None).order_by("-pk")
    try:
        addresses = list(known.values_list("client_address", flat=True)[:LATEST])
    except Error:
        yield Finding(ROW, Verdict.NOT_CHECKED, "the journal can't be read")
        return
    seen = f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}"
    inside = sum(map(is_internal, addresses))
    of_latest = f"of the latest {len(addresses)} bookings"
    if inside:
        seen = f"{seen}; {inside} {of_latest} came from inside the network, as from a proxy"
        yield Finding(ROW, Verdict.WARNING, seen, ADVICE)
    elif len(addresses) >= ENOUGH and len(set(addresses)) == 1:
        yield Finding(
            ROW, Verdict.WARNING, f"{seen}; each {of_latest} came from one address", ADVICE
        )
    else:
        yield Finding(ROW, Verdict.OK, f"{seen}; {len(set(addresses))} addresses {of_latest}")
