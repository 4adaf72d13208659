"""Takes requests for a visit where booking is a dead end, and looks after the waiting list."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from booking import availability, turns
from booking.client_address import address_hash
from booking.crm import CRMError
from booking.models import VisitRequest
from booking.observability import metrics
from booking.rate_limits import Limit, TooManyTries

logger = logging.getLogger(__name__)

# How long a buyer who was told of a free time has for it, before the next one is told of the same.
A_WHILE = timedelta(hours=2)


def ask(new: VisitRequest) -> VisitRequest:
    """Store a request; one whose form was sent twice is returned. Raises TooManyTries."""
    with transaction.atomic():
        turns.take(f"visit_request {new.client_address}")
        if same := VisitRequest.objects.filter(key=new.key).first():
            return same
        _check_limit(new.client_address)
        while VisitRequest.objects.filter(number=new.number).exists():
            new.number = VisitRequest._meta.get_field("number").get_default()
        new.save(force_insert=True)
    return new


def answer(request: VisitRequest, *, answer: str, by: str) -> bool:
    """Staff answer a request. False: it has been answered already."""
    values = {"answer": answer, "answered_by": by, "answered_at": timezone.now()}
    changed = VisitRequest.objects.open().filter(pk=request.pk).update(**values)
    request.refresh_from_db()
    return bool(changed)


def tell_of_free_times() -> list[VisitRequest]:
    """Tell those who wait that a time of their house is free; returns those told now.

    First come, first told: as many as there are free times, less those told a short while ago, who
    may be about to book. Nothing is booked.
    """
    houses = VisitRequest.objects.waiting().exclude(house_id="").order_by("house_id")
    told = []
    for house_id in list(houses.values_list("house_id", flat=True).distinct()):
        told += _tell_those_of(house_id)
    return told


def _tell_those_of(house_id: str) -> list[VisitRequest]:
    try:
        days = availability.days_page(availability.unlisted(house_id)).days
    except CRMError as exc:
        logger.warning("Nobody of house %s can be told of a free time: %s", house_id, exc)
        return []
    starts = [start for day in days for start in day.starts]
    now = timezone.now()
    of_house = VisitRequest.objects.filter(house_id=house_id)
    busy = of_house.filter(told_at__gt=now - A_WHILE, answered_at=None).count()
    told = []
    waiting = VisitRequest.objects.waiting().filter(house_id=house_id)
    for request, start in zip(waiting, starts[busy:], strict=False):
        mine = VisitRequest.objects.waiting().filter(pk=request.pk)
        if mine.update(told_at=now, free_start=start):
            told.append(request)
    return told


def _check_limit(client_address: str | None) -> None:
    """Raises TooManyTries."""
    if client_address is None:
        return
    window = timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)
    recent = VisitRequest.objects.filter(
        client_address=client_address, asked_at__gt=timezone.now() - window
    ).order_by("-asked_at")
    times = list(recent.values_list("asked_at", flat=True)[: settings.LIMIT_REQUESTS_OF_CLIENT])
    if len(times) < settings.LIMIT_REQUESTS_OF_CLIENT:
        return
    metrics.LIMITS.labels(Limit.REQUESTS_OF_CLIENT.value).inc()
    logger.warning(
        "Limit %s reached by client %s", Limit.REQUESTS_OF_CLIENT, address_hash(client_address)
    )
    raise TooManyTries(Limit.REQUESTS_OF_CLIENT, timezone.localtime(times[-1] + window))
