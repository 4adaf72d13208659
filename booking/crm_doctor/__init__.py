"""Examine an installation of MacroCRM by the reads that the site makes; book nothing."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from booking.crm_client import crm_config
from booking.crm_doctor import configuration, line, proxies, schedule, signature, stock
from booking.crm_doctor.findings import Finding, Verdict, worst

__all__ = ["Finding", "Verdict", "examine", "worst"]

REST = Finding("everything else", Verdict.NOT_CHECKED, "of no use before the above is put right")


def examine() -> Iterator[Finding]:
    """Yield findings as they are made, without secrets, tokens and phones."""
    return (finding.without_secrets() for finding in _examination())


def _examination() -> Iterator[Finding]:
    if settings.CONFIGURATION_PROBLEMS:
        yield from configuration.problems(settings.CONFIGURATION_PROBLEMS)
        yield REST
        return
    config = crm_config()
    yield from configuration.check(config, settings.BOOKING_CATEGORIES)
    yield from proxies.check()
    way = yield from line.check(config)
    accepted = (yield from signature.check(config, way)) if way else None
    if accepted is None:
        yield REST
        return
    house = yield from stock.check(accepted, settings.BOOKING_CATEGORIES)
    yield from schedule.check(accepted, house)
