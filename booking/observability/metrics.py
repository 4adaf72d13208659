"""Metrics for Prometheus.

Each process counts events; the workers of one gunicorn add them up through files in
PROMETHEUS_MULTIPROC_DIR (see gunicorn.conf.py). Bookings are counted in the database at each
scrape, so these gauges are the same on every machine and survive restarts.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from django.db import Error
from django.db.models import Count
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from booking.models import Booking, Outcome, VisitState, in_state

logger = logging.getLogger(__name__)

REQUESTS = Counter(
    "handover_requests", "Requests by route, method and status.", ["route", "method", "status"]
)
REQUEST_SECONDS = Histogram(
    "handover_request_seconds",
    "How long a request took.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
STEP_VIEWS = Counter("handover_step_views", "Steps shown to buyers: 1, 2, 3.", ["step"])
TURNED_AWAY = Counter(
    "handover_turned_away",
    "Requests that found the site full, or their client holding more than its share.",
    ["reason"],
)
# `booking.rate_limits` sets its labels, because it imports this module.
LIMITS = Counter("handover_limits", "Tries that were refused by a limit.", ["limit"])
STAFF_LOGINS = Counter(
    "handover_staff_logins", "Tries to log in as staff: right, wrong, must_wait.", ["result"]
)
DATABASE_AWAY = Counter(
    "handover_database_away", "Pages that found the database away, read-only or full."
)
CRM_CALLS = Counter(
    "handover_crm_calls",
    "Calls of the CRM, tries of one call not counted apart.",
    ["method", "outcome", "reason"],
)
# Start at 0: an alert sees only increases and would miss a first event.
for _turned_away in ("full", "client"):
    TURNED_AWAY.labels(_turned_away)
for _result in ("right", "wrong", "must_wait"):
    STAFF_LOGINS.labels(_result)
for _method in ("getReadyFlats", "getFreeTimes", "add"):
    for _outcome, _reason in (
        ("failed", "misconfigured"),
        ("failed", "unsigned"),
        ("failed", "wrongaddress"),
        ("refused", "misconfigured"),
    ):
        CRM_CALLS.labels(_method, _outcome, _reason)
CRM_CALL_SECONDS = Histogram(
    "handover_crm_call_seconds",
    "How long a call of the CRM took, second try included.",
    ["method"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
CACHE_LOOKS = Counter(
    "handover_cache_looks",
    "What was found when a page wanted an answer of the CRM: fresh, stale or missing.",
    ["found"],
)


def count_cache_looks(**found: int) -> None:
    for name, count in found.items():
        if count:
            CACHE_LOOKS.labels(name).inc(count)


class Journal(Collector):
    """Gauges of the bookings in the journal."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            families = [_by_state(), _overdue()]
        except Error:
            # Still return the other metrics.
            logger.exception("The journal can't be counted")
            return
        yield from families


def _by_state() -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "handover_bookings", "Bookings in the journal by state, now.", labels=["state"]
    )
    for state, count in _counts().items():
        family.add_metric([state.value], count)
    return family


def _counts() -> dict[VisitState, int]:
    """Count along indexes, also over a million rows; OVER is what remains."""
    now = timezone.now()
    outcomes = dict(Booking.objects.order_by().values_list("outcome").annotate(Count("pk")))
    confirmed = {
        state: Booking.objects.filter(in_state(state, now=now)).count()
        for state in (VisitState.EXPECTED, VisitState.MOVED, VisitState.CALLED_OFF)
    }
    over = outcomes.get(Outcome.CONFIRMED, 0) - sum(confirmed.values())
    others = {state: outcomes.get(state, 0) for state in VisitState}
    return others | confirmed | {VisitState.OVER: over}


def _overdue() -> GaugeMetricFamily:
    """Overdue ones apart: a busy site always has some in `sending`."""
    overdue = Booking.objects.filter(outcome=Outcome.SENDING, deadline_at__lt=timezone.now())
    return GaugeMetricFamily(
        "handover_bookings_overdue",
        "Bookings still in sending past their deadline, now.",
        value=overdue.count(),
    )


def page() -> bytes:
    """All metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Journal())
    return generate_latest(_counted()) + generate_latest(registry)


def _counted() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
