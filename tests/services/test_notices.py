"""Notices: written with the event, sent by cron, tried again, never sent twice at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from booking import notices, services, wording
from booking.models import Booking, BookingEvent, ChangeRequest, Notice, Outcome
from booking.notices import Sent
from tests.bookings import booking, staff
from tests.journey import fill_in, first_free, send, text_of

pytestmark = pytest.mark.django_db

SECRET = "example-secret-for-notices"


class Receiver(HTTPServer):
    """Somebody's webhook on loopback: keeps what it is sent and answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.drips = False
        self.body = b""
        self.body_sent = 0
        self.url = f"http://127.0.0.1:{self.server_port}/hook?token=abc"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), content))
        self.send_response(self.server.status)
        self.flush_headers()
        while self.server.drips:
            self.wfile.write(b"X-Byte: 1\r\n")
            time.sleep(0.02)
        if self.server.status == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        with suppress(ConnectionError):
            for start in range(0, len(self.server.body), 100_000):
                self.server.body_sent += self.wfile.write(self.server.body[start : start + 100_000])

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    settings.NOTICE_WEBHOOK_URL = server.url
    settings.NOTICE_WEBHOOK_SECRET = SECRET
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def by_email(settings) -> None:
    settings.NOTICE_EMAILS = ["desk@example.com", "office@example.com"]
    settings.NOTICE_FROM = "visits@example.com"
    settings.SITE_URL = "https://visit.example.com"


def confirmed(**values: Any) -> Booking:
    made = booking(outcome="sending", **values)
    services.settling.settle(made, Outcome.CONFIRMED, "", {})
    return made


def make_due() -> None:
    Notice.objects.update(next_try_at=timezone.now())


class TestTheOutbox:
    @pytest.mark.parametrize(
        ("outcome", "is_told"),
        [("confirmed", True), ("in_doubt", True), ("refused", False), ("not_sent", False)],
    )
    def test_holds_what_staff_want_to_hear_of(self, by_email, outcome, is_told):
        services.settling.settle(booking(outcome="sending"), Outcome(outcome), "", {})

        assert Notice.objects.exists() == is_told

    def test_holds_one_for_each_channel(self, by_email, receiver):
        confirmed()

        assert set(Notice.objects.values_list("channel", flat=True)) == {"email", "webhook"}

    def test_is_empty_where_nobody_wants_to_hear(self):
        confirmed()

        assert not Notice.objects.exists()

    def test_a_buyers_wish_is_told(self, by_email):
        services.change_requests.ask(booking(), ChangeRequest.Kind.CANCEL, "Заболел")

        assert Notice.objects.get().event.kind == "change_asked"

    def test_a_booking_past_its_deadline_is_told(self, by_email):
        overdue = timezone.now() - timedelta(minutes=1)
        services.settling.mark_in_doubt(booking(outcome="sending", deadline_at=overdue))

        assert Notice.objects.get().event.kind == "in_doubt"

    def test_an_answer_after_a_person_has_resolved_it_is_told(self, by_email, mailoutbox):
        made = booking(outcome="in_doubt")
        services.settling.resolve(made, was_booked=False, by="anna", note="")
        services.settling.settle(made, Outcome.CONFIRMED, "", {})
        notices.send_due()

        assert "Ответ CRM пришёл уже после решения" in mailoutbox[0].subject

    def test_goes_with_the_event_or_not_at_all(self, by_email, monkeypatch):
        made = booking(outcome="sending")
        monkeypatch.setattr("booking.models.notice.TOLD", None)

        with pytest.raises(TypeError):
            services.settling.settle(made, Outcome.CONFIRMED, "", {})

        made.refresh_from_db()
        assert made.outcome == "sending"
        assert not BookingEvent.objects.exists()

    def test_costs_the_buyer_no_call(self, standin, client, by_email, mailoutbox):
        send(client, fill_in(client, first_free(standin)))

        assert Notice.objects.count() == 1
        assert mailoutbox == []


class TestByEmail:
    def test_says_who_comes_where_and_when(self, by_email, mailoutbox):
        made = confirmed(flat="12")

        assert notices.send_due() == Sent(1, 0)
        (mail,) = mailoutbox
        assert mail.to == ["desk@example.com", "office@example.com"]
        assert mail.from_email == "visits@example.com"
        assert mail.subject.startswith("Новая запись: Лесной квартал")
        assert made.reference in mail.body
        assert f"https://visit.example.com/admin/booking/booking/{made.pk}/change/" in mail.body
        assert "9001234567" not in mail.subject + mail.body.replace(" ", "")

    @pytest.mark.parametrize(
        ("change", "state"),
        [
            ({}, "ожидается"),
            ({"moved_at": timezone.now()}, "перенесён"),
            ({"called_off_at": timezone.now()}, "отменён"),
        ],
    )
    def test_says_how_the_visit_stands_when_it_goes_out(self, by_email, mailoutbox, change, state):
        made = confirmed()
        Booking.objects.filter(pk=made.pk).update(outcome="confirmed", **change)

        notices.send_due()

        assert f"Состояние визита: {state}" in mailoutbox[0].body

    def test_a_title_cannot_write_headers(self, by_email, mailoutbox):
        confirmed(house_title="Дом\r\nBcc: thief@example.com")

        notices.send_due()

        assert mailoutbox[0].recipients() == ["desk@example.com", "office@example.com"]
        assert "\n" not in mailoutbox[0].subject

    def test_goes_out_once(self, by_email, mailoutbox):
        confirmed()
        notices.send_due()

        assert notices.send_due() == Sent(0, 0)
        assert len(mailoutbox) == 1

    def test_a_server_that_is_down_is_a_failure_to_read_of(self, by_email, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        confirmed()

        assert notices.send_due() == Sent(0, 1)
        notice = Notice.objects.get()
        assert notice.failure.startswith("ConnectionRefusedError")
        assert notice.next_try_at > timezone.now()


class TestByWebhook:
    def test_is_signed(self, receiver):
        made = confirmed()

        assert notices.send_due() == Sent(1, 0)
        ((headers, content),) = receiver.calls
        stamp = headers["X-Handover-Timestamp"]
        assert headers["X-Handover-Signature"] == notices.signature(SECRET, stamp, content)
        assert abs(int(stamp) - timezone.now().timestamp()) < 60
        told = json.loads(content)
        assert told["event"] == "confirmed"
        assert told["booking"]["state"] == "expected"
        assert told["booking"]["key"] == str(made.key)
        assert told["booking"]["starts_at"] == made.starts_at_local.isoformat(timespec="minutes")
        assert "9001234567" not in content.decode()

    def test_tells_this_and_nothing_else(self, receiver, settings):
        settings.SITE_URL = "https://visit.example.com"
        made = confirmed()
        notices.send_due()

        told = json.loads(receiver.calls[0][1])
        event = made.events.get()
        assert told == {
            "notice": event.notices.get().pk,
            "event": "confirmed",
            "at": event.at.isoformat(timespec="seconds"),
            "booking": {
                "key": str(made.key),
                "number": made.reference,
                "outcome": "confirmed",
                "state": "expected",
                "category": "flat",
                "house_id": "3105011",
                "house_title": "Лесной квартал, дом 1",
                "flat": "1.8-12-1",
                "starts_at": made.starts_at_local.isoformat(timespec="minutes"),
                "phone": wording.masked_phone(made.phone),
                "url": f"https://visit.example.com/admin/booking/booking/{made.pk}/change/",
            },
        }

    def test_the_signature_is_the_documented_one(self):
        # printf '1700000000.{}' | openssl dgst -sha256 -hmac example-secret
        expected = "05509d6a1d7b18307b0ad32668d52ef5ddd5f26d6f7937c15546c30d2a275369"

        assert notices.signature("example-secret", "1700000000", b"{}") == expected

    def test_tells_what_is_wished(self, receiver):
        services.change_requests.ask(booking(), ChangeRequest.Kind.MOVE, "На пятницу")
        notices.send_due()

        assert json.loads(receiver.calls[0][1])["wish"] == "move"

    @pytest.mark.parametrize("status", [302, 400, 500])
    def test_anything_but_success_is_tried_again(self, receiver, status):
        receiver.status = status
        confirmed()

        assert notices.send_due() == Sent(0, 1)
        assert len(receiver.calls) == 1
        assert Notice.objects.get().failure == f"HTTP {status}"
        receiver.status = 200
        assert notices.send_due() == Sent(0, 0)
        make_due()
        assert notices.send_due() == Sent(1, 0)
        assert Notice.objects.get().failure == ""

    def test_a_receiver_that_drips_bytes_does_not_hold_the_run(self, receiver, monkeypatch):
        monkeypatch.setattr(notices, "WEBHOOK_DEADLINE", 0.2)
        receiver.drips = True
        confirmed()

        assert notices.send_due() == Sent(0, 1)
        assert Notice.objects.get().failure.startswith("TimeoutError")
        receiver.drips = False

    def test_an_address_that_does_not_answer_is_a_failure_without_its_secrets(self, settings):
        settings.NOTICE_WEBHOOK_URL = "http://127.0.0.1:9/hook?token=abc"
        confirmed()

        assert notices.send_due() == Sent(0, 1)
        assert (
            Notice.objects.get().failure == "ConnectionRefusedError: [Errno 111] Connection refused"
        )

    def test_an_answer_is_not_read_however_long_it_is(self, receiver):
        receiver.body = b"x" * 50_000_000
        confirmed()

        assert notices.send_due() == Sent(1, 0)
        assert receiver.body_sent < len(receiver.body)


class TestTryingAgain:
    def test_pauses_double_up_to_six_hours_and_end(self, receiver):
        receiver.status = 500
        confirmed()
        pauses = []
        for _ in range(15):
            make_due()
            notices.send_due()
            pause = Notice.objects.get().next_try_at - timezone.now()
            pauses.append(round(pause / timedelta(minutes=1)))
        assert not Notice.objects.get().given_up_at
        make_due()
        notices.send_due()

        assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[360] * 6]
        assert Notice.objects.get().given_up_at
        assert notices.send_due() == Sent(0, 0)

    def test_what_was_given_up_goes_out_when_asked(self, receiver, capsys):
        confirmed()
        Notice.objects.update(given_up_at=timezone.now(), failure="HTTP 500", tries=16)

        call_command("send_notices", again=True)

        assert capsys.readouterr().out == "1 sent, 0 failed\n"

    def test_a_channel_that_is_down_does_not_hold_up_the_run(self, receiver):
        receiver.status = 500
        for number in range(6):
            confirmed(flat=str(number))

        assert notices.send_due() == Sent(0, notices.FAILURES_IN_A_ROW)

    def test_a_channel_that_is_down_holds_up_no_other(
        self, receiver, settings, mailoutbox, monkeypatch
    ):
        monkeypatch.setattr(notices, "AT_ONCE", 2)
        receiver.status = 500
        for number in range(6):
            confirmed(flat=str(number))
        settings.NOTICE_EMAILS, settings.NOTICE_FROM = ["desk@example.com"], "visits@example.com"
        confirmed(flat="the newest")

        notices.send_due()

        assert len(mailoutbox) == 1

    def test_what_a_channel_is_not_there_for_any_more_waits_on(
        self, receiver, by_email, settings, mailoutbox
    ):
        confirmed()
        settings.NOTICE_EMAILS, settings.NOTICE_WEBHOOK_URL = [], ""

        assert notices.send_due() == Sent(0, 0)
        assert Notice.objects.waiting().count() == 2
        assert mailoutbox == receiver.calls == []

    def test_whatever_one_fails_of_is_no_end_of_the_run(self, by_email, monkeypatch, mailoutbox):
        def broken(_event):
            raise RuntimeError("+79001234567")

        confirmed(flat="1")
        with monkeypatch.context() as patch:
            patch.setattr(notices, "body", broken)
            assert notices.send_due() == Sent(0, 1)

        assert Notice.objects.get().failure == "RuntimeError"
        make_due()
        assert notices.send_due() == Sent(1, 0)

    def test_two_senders_do_not_send_the_same(self, by_email, monkeypatch, mailoutbox):
        def overtaken(event):
            patch.undo()
            assert notices.send_due() == Sent(1, 0)
            return notices.body(event)

        confirmed(flat="1")
        confirmed(flat="2")
        with monkeypatch.context() as patch:
            patch.setattr(notices, "body", overtaken)

            assert notices.send_due() == Sent(1, 0)
        assert len(mailoutbox) == 2

    def test_what_a_dead_sender_took_is_due_again(self, by_email, monkeypatch, mailoutbox):
        def dies(_event):
            raise KeyboardInterrupt

        confirmed()
        with monkeypatch.context() as patch:
            patch.setattr(notices, "body", dies)
            with pytest.raises(KeyboardInterrupt):
                notices.send_due()
        assert notices.send_due() == Sent(0, 0)

        Notice.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))

        assert notices.send_due() == Sent(1, 0)


class TestInTheAdmin:
    def test_failures_are_visible(self, receiver):
        receiver.status = 500
        confirmed()
        notices.send_due()
        operator = staff("olga", "operators")

        assert "Уведомления не доходят: 1" in " ".join(
            text_of(operator.get("/admin/")).replace("</b>", "").split()
        )
        for state, is_there in (("failing", True), ("waiting", True), ("sent", False)):
            page = text_of(operator.get("/admin/booking/notice/", {"state": state}))
            assert ("HTTP 500" in page) == is_there

    def test_nobody_changes_them(self, admin_client, by_email):
        confirmed()
        url = reverse("admin:booking_notice_delete", args=[Notice.objects.get().pk])

        assert admin_client.post(url, {"post": "yes"}).status_code == 403
