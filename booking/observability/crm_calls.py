"""A line and the figures for each call of the CRM."""

from __future__ import annotations

import logging
from dataclasses import asdict

from booking.crm import CallReport
from booking.observability import metrics

logger = logging.getLogger(__name__)


def record_crm_call(report: CallReport) -> None:
    metrics.CRM_CALLS.labels(report.method, report.outcome, report.reason).inc()
    metrics.CRM_CALL_SECONDS.labels(report.method).observe(report.seconds)
    fields = asdict(report) | {"seconds": round(report.seconds, 3)}
    words = " ".join(filter(None, (report.outcome, report.reason)))
    # One that needs an operator; the others are told of by pages and by the bookings' outcomes.
    level = logging.WARNING if report.refuses_site else logging.INFO
    line = "%s: %s in %.3f s"
    logger.log(level, line, report.method, words, report.seconds, extra={"fields": fields})
