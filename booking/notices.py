"""Send the outbox, by `manage.py send_notices`, never in a buyer's request.

What fails is tried again later and later, and given up after some two days. A lease on the row
stops two runs from sending the same notice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import smtplib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking import wording
from booking.models import Booking, BookingEvent, ChangeRequest, Notice
from booking.redaction import without_secrets

logger = logging.getLogger(__name__)

AT_ONCE = 200
# Lease of a notice: after this time another run may send it.
LEASE = timedelta(minutes=10)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)
MOST_TRIES = 16
# After this many failures in a row a channel counts as down until the next run.
FAILURES_IN_A_ROW = 3
WEBHOOK_TIMEOUT = 10.0  # seconds without a byte
# For the whole request: a server that trickles bytes would hold the run forever.
WEBHOOK_DEADLINE = 20.0


class DeliveryError(Exception):
    """Why a notice was not sent, for staff, without secrets."""


# Failures of the network.
FORESEEN = (DeliveryError, OSError, smtplib.SMTPException)


@dataclass(frozen=True, slots=True)
class Sent:
    sent: int
    failed: int


def send_due() -> Sent:
    """Send due notices by each channel, oldest first. Channels don't wait for each other.

    Notices of a channel that is no longer configured stay in the outbox.
    """
    each = [_send_by(channel) for channel in Notice.configured_channels()]
    return Sent(sum(done.sent for done in each), sum(done.failed for done in each))


def try_again() -> int:
    """Put given-up notices back into the queue and return their number."""
    given_up = Notice.objects.filter(sent_at=None).exclude(given_up_at=None)
    return given_up.update(given_up_at=None, tries=0, next_try_at=timezone.now())


def _send_by(channel: Notice.Channel) -> Sent:
    due = Notice.objects.waiting().filter(channel=channel, next_try_at__lte=timezone.now())
    sent = failed = in_a_row = 0
    for notice in due.order_by("next_try_at").select_related("event__booking")[:AT_ONCE]:
        if in_a_row >= FAILURES_IN_A_ROW:
            break
        if not _taken(notice):
            continue
        if _send(notice):
            sent, in_a_row = sent + 1, 0
        else:
            failed, in_a_row = failed + 1, in_a_row + 1
    return Sent(sent, failed)


def _taken(notice: Notice) -> bool:
    """Take a lease on the row, which stops two runs from sending the same notice."""
    mine = Notice.objects.waiting().filter(pk=notice.pk, next_try_at=notice.next_try_at)
    taken = mine.update(next_try_at=timezone.now() + LEASE, tries=F("tries") + 1)
    notice.tries += taken
    return bool(taken)


def _send(notice: Notice) -> bool:
    row = Notice.objects.filter(pk=notice.pk)
    try:
        SENDERS[Notice.Channel(notice.channel)](notice)
    except Exception as error:  # whatever one fails of is for staff to read, not the others' end
        failure, is_odd = _why(error), not isinstance(error, FORESEEN)
        told = "Notice %s by %s failed: %s"
        logger.warning(told, notice.pk, notice.channel, failure, exc_info=is_odd)
        row.update(failure=failure[:300], **_what_next(notice.tries))
        return False
    row.update(sent_at=timezone.now(), failure="")
    return True


def _why(error: Exception) -> str:
    """A failure as staff may read it. Other errors may quote the message."""
    if isinstance(error, DeliveryError):
        return str(error)
    name = type(error).__name__
    return without_secrets(f"{name}: {error}") if isinstance(error, FORESEEN) else name


def _what_next(tries: int) -> dict[str, datetime]:
    if tries >= MOST_TRIES:
        return {"given_up_at": timezone.now()}
    pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
    return {"next_try_at": timezone.now() + pause}


# By e-mail


def _send_email(notice: Notice) -> None:
    event = notice.event
    message = EmailMessage(
        subject=subject(event),
        body=body(event),
        from_email=settings.NOTICE_FROM,
        to=settings.NOTICE_EMAILS,
        headers={"X-Notice": str(notice.pk)},
    )
    message.send()


def subject(event: BookingEvent) -> str:
    """The subject, on one line whatever the house's title holds."""
    booking = event.booking
    what = wording.object_name(booking.category, booking.flat)
    house = booking.house_title or booking.house_id
    line = f"{_headline(event)}: {house}, {what}, {wording.day_and_time(booking.starts_at_local)}"
    return " ".join(line.split())


def body(event: BookingEvent) -> str:
    booking = event.booking
    lines = [
        _headline(event),
        "",
        f"{booking.house_title or booking.house_id}",
        wording.object_name(booking.category, booking.flat),
        wording.day_and_time(booking.starts_at_local),
        wording.masked_phone(booking.phone),
        _("Booking number: {number}").format(number=booking.reference),
        # The visit may have been moved or called off since.
        _("State of the visit: {state}").format(state=booking.state.label),
    ]
    address = admin_url(booking)
    return "\n".join([*lines, "", address] if address else lines)


def admin_url(booking: Booking) -> str:
    """The booking's page in the admin; "" without SITE_URL."""
    if not settings.SITE_URL:
        return ""
    return settings.SITE_URL + reverse("admin:booking_booking_change", args=[booking.pk])


def _headline(event: BookingEvent) -> str:
    headlines = {
        BookingEvent.Kind.CONFIRMED: _("New booking"),
        BookingEvent.Kind.IN_DOUBT: _("A booking is in doubt"),
        BookingEvent.Kind.LATE_ANSWER: _("The CRM has answered after a booking was resolved"),
        BookingEvent.Kind.CHANGE_ASKED: _("A buyer asks to move or cancel"),
    }
    return headlines[BookingEvent.Kind(event.kind)]


# By webhook


def _send_webhook(notice: Notice) -> None:
    content = json.dumps(payload(notice), ensure_ascii=False).encode()
    stamp = str(int(timezone.now().timestamp()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "key-handover",
        "X-Handover-Notice": str(notice.pk),
        "X-Handover-Timestamp": stamp,
        "X-Handover-Signature": signature(settings.NOTICE_WEBHOOK_SECRET, stamp, content),
    }
    _in_time(lambda: _post(content, headers))


def _in_time(work: Callable[[], None]) -> None:
    """Run within a deadline. Raises TimeoutError; the thread ends with the command."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except Exception as exc:  # raised where it is waited for
            done.set_exception(exc)
        else:
            done.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    done.result(timeout=WEBHOOK_DEADLINE)


def _post(content: bytes, headers: dict[str, str]) -> None:
    """Post the payload without following redirects: the signature is for one address."""
    try:
        with requests.post(
            settings.NOTICE_WEBHOOK_URL,
            data=content,
            headers=headers,
            timeout=WEBHOOK_TIMEOUT,
            allow_redirects=False,
            stream=True,  # the body is never read, however long
        ) as reply:
            status = reply.status_code
    except requests.RequestException as exc:
        raise DeliveryError(_without_address(exc)) from exc
    if not 200 <= status < 300:
        raise DeliveryError(f"HTTP {status}")


def _without_address(error: requests.RequestException) -> str:
    """The system's message. That of `requests` repeats the URL, which may hold a secret."""
    cause: BaseException = error
    while cause.__context__:
        cause = cause.__context__
    is_of_system = isinstance(cause, OSError) and not isinstance(cause, requests.RequestException)
    return f"{type(cause).__name__}: {cause}" if is_of_system else type(error).__name__


def signature(secret: str, stamp: str, content: bytes) -> str:
    """HMAC-SHA256 of timestamp, dot and the bytes sent, in hexadecimal digits."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()


def payload(notice: Notice) -> dict[str, Any]:
    """The webhook's JSON, with the phone masked."""
    event, booking = notice.event, notice.event.booking
    told: dict[str, Any] = {
        "notice": notice.pk,
        "event": event.kind,
        "at": event.at.isoformat(timespec="seconds"),
        "booking": {
            "key": str(booking.key),
            "number": booking.reference,
            "outcome": booking.outcome,
            "state": booking.state.value,
            "category": booking.category,
            "house_id": booking.house_id,
            "house_title": booking.house_title,
            "flat": booking.flat,
            "starts_at": booking.starts_at_local.isoformat(timespec="minutes"),
            "phone": wording.masked_phone(booking.phone),
            "url": admin_url(booking),
        },
    }
    if event.kind == BookingEvent.Kind.CHANGE_ASKED:
        told["wish"] = ChangeRequest.Kind(event.facts["wish"]).value
    return told


# A channel that is added to the model needs its sender here.
SENDERS: dict[Notice.Channel, Callable[[Notice], None]] = {
    Notice.Channel.EMAIL: _send_email,
    Notice.Channel.WEBHOOK: _send_webhook,
}
