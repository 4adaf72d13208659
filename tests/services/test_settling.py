"""What becomes of a booking whose answer is late, missing, or says less than can be found out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.signals import post_save
from django.utils import timezone

from booking import services
from booking.models import Booking, BookingEvent, Notice
from tests.bookings import booking
from tests.journey import FLAT, HOUSE, fill_in, first_free, heading, send

pytestmark = pytest.mark.django_db

DECLINED = '{"status_code":400,"data":[],"message":"Нельзя записать"}'
TAKEN = '{"status_code":409,"data":[],"message":"Время занято"}'


def kinds(made: Booking) -> list[str]:
    return [event.kind for event in made.events.all()]


def pressed(standin, client, start) -> Booking:
    send(client, fill_in(client, start))
    return Booking.objects.get()


# The command


@pytest.fixture
def settle(capsys):
    def run() -> str:
        call_command("settle_bookings")
        return str(capsys.readouterr().out)

    return run


def ago(**span: int) -> Any:
    return timezone.now() - timedelta(**span)


def test_what_is_overdue_becomes_in_doubt_and_is_looked_at_once(standin, settle):
    made = booking(outcome="sending", deadline_at=ago(seconds=1), starts_at=first_free(standin))

    assert settle() == "1 became in doubt, 1 looked at again\n"
    assert settle() == "0 became in doubt, 0 looked at again\n"

    made.refresh_from_db()
    assert (made.outcome, made.reason) == ("in_doubt", "deadline")
    assert made.settled_at is not None
    assert kinds(made) == ["in_doubt", "evidence"]
    assert made.events.get(kind="evidence").facts == {"was_free": None, "is_free": True}
    assert standin.count("getFreeTimes") == 1
    assert standin.count("add") == 0


def test_each_doubt_is_looked_at_whatever_was_looked_at_before(standin, settle):
    first = booking(outcome="in_doubt", starts_at=first_free(standin))
    settle()
    second = booking(outcome="in_doubt", starts_at=first_free(standin), flat="9")

    assert settle() == "0 became in doubt, 1 looked at again\n"
    assert kinds(first) == kinds(second) == ["evidence"]


def test_a_look_at_a_time_that_is_taken_says_so(standin, settle):
    start = first_free(standin)
    standin.hand_to_a_rival(HOUSE, start)
    made = booking(outcome="in_doubt", starts_at=start)

    assert settle() == "0 became in doubt, 1 looked at again\n"
    assert made.events.get(kind="evidence").facts == {"was_free": None, "is_free": False}


def test_a_day_that_cannot_be_read_is_looked_at_again_the_next_time(standin, settle):
    made = booking(outcome="in_doubt", starts_at=first_free(standin))
    standin.stop()
    settle()
    assert kinds(made) == []

    standin.start()
    assert settle() == "0 became in doubt, 1 looked at again\n"
    assert kinds(made) == ["evidence"]


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "in_doubt", "starts_at": ago(hours=1)},
        {"outcome": "sending"},
        {"outcome": "confirmed"},
        {"outcome": "refused", "reason": "declined"},
        {"outcome": "not_sent", "reason": "unreachable"},
    ],
    ids=["over", "within its deadline", "confirmed", "refused", "not sent"],
)
def test_what_is_over_under_way_or_settled_is_left_alone(standin, settle, values):
    made = booking(**values)

    assert settle() == "0 became in doubt, 0 looked at again\n"
    made.refresh_from_db()
    assert made.outcome == values["outcome"]
    assert kinds(made) == []
    assert standin.count("getFreeTimes") == 0


# A refusal, and what the time itself tells


@pytest.mark.parametrize(
    ("said", "is_gone", "reason"),
    [
        (DECLINED, True, "slot_taken"),
        (DECLINED, False, "declined"),
        (TAKEN, True, "slot_taken"),
        (TAKEN, False, "declined"),
    ],
    ids=["declined, gone", "declined, free", "taken, gone", "taken, free"],
)
def test_the_time_itself_tells_why_a_booking_was_refused(standin, client, said, is_gone, reason):
    start = first_free(standin)
    form = fill_in(client, start)
    if is_gone:
        standin.hand_to_a_rival(HOUSE, start)
    standin.fail("add", "status", status=200, body=said)

    send(client, form)

    made = Booking.objects.get()
    assert (made.outcome, made.reason) == ("refused", reason)
    assert kinds(made) == ["sending", "refused", "evidence"]
    assert made.events.get(kind="evidence").facts == {"was_free": True, "is_free": not is_gone}


@pytest.mark.parametrize(
    ("said", "reason"), [(DECLINED, "declined"), (TAKEN, "slot_taken")], ids=["declined", "taken"]
)
def test_of_a_day_that_cannot_be_read_the_refusal_stands_as_it_was_said(
    standin, client, said, reason
):
    form = fill_in(client, first_free(standin))
    standin.fail("getFreeTimes", "status")
    standin.fail("add", "status", status=200, body=said)

    send(client, form)

    made = Booking.objects.get()
    assert (made.outcome, made.reason) == ("refused", reason)
    assert kinds(made) == ["sending", "refused"]


def test_a_refusal_for_another_cause_needs_no_look(standin, client):
    form = fill_in(client, first_free(standin))
    looks = standin.count("getFreeTimes")
    standin.fail("add", "rate")

    send(client, form)

    made = Booking.objects.get()
    assert (made.outcome, made.reason) == ("refused", "busy")
    assert kinds(made) == ["sending", "refused"]
    assert standin.count("getFreeTimes") == looks


# The deadline


@pytest.fixture
def patience(settings) -> timedelta:
    settings.MACROCRM_CONNECT_TIMEOUT = 3.0
    settings.MACROCRM_READ_TIMEOUT = 20.0
    return timedelta(seconds=23)


def test_a_booking_has_the_whole_call_and_45_seconds_for_the_journal(standin, client, patience):
    made = pressed(standin, client, first_free(standin))

    spare = made.deadline_at - made.created_at - patience
    assert timedelta(seconds=44) < spare < timedelta(seconds=46)


@pytest.mark.parametrize(("held_up", "is_sent"), [(44, True), (46, False)])
def test_a_process_that_was_held_up_for_too_long_sends_nothing(
    standin, client, patience, monkeypatch, held_up, is_sent
):
    """Its call could end after the deadline, when the buyer may have booked anew."""
    form = fill_in(client, first_free(standin))
    now = timezone.now

    def fall_asleep(instance: BookingEvent, **_: Any) -> None:
        if instance.kind == "sending":
            monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=held_up))

    post_save.connect(fall_asleep, sender=BookingEvent)
    try:
        page = client.get(send(client, form).url)
    finally:
        post_save.disconnect(fall_asleep, sender=BookingEvent)

    made = Booking.objects.get()
    assert standin.count("add") == is_sent
    assert made.outcome == ("confirmed" if is_sent else "not_sent")
    assert heading(page) == ("Вы записаны" if is_sent else "Запись не отправлена")


def test_the_page_of_a_booking_being_sent_changes_nothing(client, settings):
    settings.NOTICE_EMAILS = ["desk@example.com"]
    made = booking(outcome="sending", deadline_at=timezone.now() + timedelta(seconds=30))
    for _ in range(3):
        assert client.get(made.get_absolute_url()).status_code == 200

    made.refresh_from_db()
    assert made.outcome == "sending"
    assert kinds(made) == []
    assert not Notice.objects.exists()


def test_the_page_of_an_overdue_booking_settles_it_once(client, settings):
    settings.NOTICE_EMAILS = ["desk@example.com"]
    made = booking(outcome="sending", deadline_at=ago(seconds=1))
    for _ in range(3):
        assert heading(client.get(made.get_absolute_url())) == "Проверяем вашу запись"

    made.refresh_from_db()
    assert (made.outcome, made.reason) == ("in_doubt", "deadline")
    assert kinds(made) == ["in_doubt"]
    assert Notice.objects.count() == 1


# One form, sent again with other answers

OTHER_PHONE = "+79000000099"


def test_another_phone_on_a_booking_that_stands_books_nothing(standin, client):
    form = fill_in(client, first_free(standin))
    send(client, form)

    send(client, form | {"phone": OTHER_PHONE})

    assert Booking.objects.count() == 1
    assert standin.count("add") == 1


def test_another_time_on_a_booking_that_stands_books_nothing(standin, client):
    first, second, *_ = standin.free_starts(HOUSE)
    form = fill_in(client, first)
    send(client, form)

    send(client, form | {"start": f"{second:%Y-%m-%dT%H:%M}"})

    assert Booking.objects.count() == 1
    assert standin.count("add") == 1


def test_a_refused_phone_mended_in_the_same_form_books(standin, client):
    form = fill_in(client, first_free(standin), phone=OTHER_PHONE)
    refused = send(client, form)
    mended = fill_in(client, first_free(standin)) | {"key": form["key"]}

    booked = send(client, mended)
    again = send(client, mended)

    assert heading(client.get(refused.url)) == "Записаться не получилось"
    assert heading(client.get(booked.url)) == "Вы записаны"
    assert again.url == booked.url != refused.url
    assert [made.outcome for made in Booking.objects.order_by("pk")] == ["refused", "confirmed"]
    assert standin.count("add") == 2


def test_a_form_whose_visit_was_called_off_books_another_time(standin, client):
    first, second, *_ = standin.free_starts(HOUSE)
    standin.switch(second_add="moves")
    form = fill_in(client, first)
    send(client, form)
    services.visits.cancel_visit(Booking.objects.get())

    booked = send(client, form | {"start": f"{second:%Y-%m-%dT%H:%M}"})

    assert heading(client.get(booked.url)) == "Вы записаны"
    assert Booking.objects.count() == 2
    assert {made.flat for made in Booking.objects.all()} == {FLAT}
