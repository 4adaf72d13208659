"""Log and count the calls of the CRM."""

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
    # Only what needs an operator is a warning: pages and outcomes tell of the other failures.
    level = logging.WARNING if report.refuses_site else logging.INFO
    line = "%s: %s in %.3f s"
    logger.log(level, line, report.method, words, report.seconds, extra={"fields": fields})
