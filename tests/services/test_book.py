"""What becomes of one press: it is written whole, sent once, and ends as the CRM says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, services
from booking.availability import cache
from booking.models import Booking, BookingEvent
from booking.rate_limits import TooManyTries
from booking.services import settling
from booking.services.booking import book
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests.bookings import booking
from tests.journey import FLAT, HOUSE
from tests.presses import kinds, later, wrong

pytestmark = pytest.mark.django_db


def test_a_booking_is_confirmed_and_its_trail_tells_the_story(standin, press):
    booking = book(press)

    assert booking.outcome == "confirmed"
    assert kinds(booking) == ["sending", "confirmed"]
    (entry,) = standin.ledger
    assert (entry.house_id, entry.number, entry.category) == (HOUSE, FLAT, "flat")
    assert entry.transfer_date == f"{press.starts_at:%Y-%m-%dT%H:%M}"


def test_the_row_is_there_before_the_crm_hears_of_it(standin, press, transactional_db):
    standin.fail("add", "hang")
    with ThreadPoolExecutor() as pool:
        pool.submit(_book_and_hang_up, press)
        standin.wait_for("add")

        assert Booking.objects.get().outcome == "sending"

        standin.recover()


def _book_and_hang_up(press):
    try:
        book(press)
    finally:
        connection.close()


def test_a_refused_phone_is_refused(standin, press):
    booking = book(wrong(press))

    assert (booking.outcome, booking.reason) == ("refused", "no_match")
    assert standin.ledger == []


def test_a_crm_that_is_down_means_not_sent(standin, press):
    standin.stop()

    booking = book(press)

    assert (booking.outcome, booking.reason) == ("not_sent", "unreachable")


def test_a_time_taken_in_between_is_told_from_a_wrong_phone(standin, press):
    assert availability.is_offered(press.house, press.starts_at)
    standin.hand_to_a_rival(HOUSE, press.starts_at)

    booking = book(press)

    assert (booking.outcome, booking.reason) == ("refused", "slot_taken")
    assert kinds(booking) == ["sending", "refused", "evidence"]


@pytest.mark.parametrize(
    ("fault", "is_free"), [("write_then_500", False), ("drop_before_reply", True)]
)
def test_in_doubt_gathers_evidence(standin, press, fault, is_free):
    standin.fail("add", fault)

    booking = book(press)

    assert booking.outcome == "in_doubt"
    evidence = booking.events.get(kind="evidence")
    assert evidence.facts["is_free"] is is_free
    assert standin.count("add") == 1


def test_the_answer_is_written_before_anything_else_is_done_with_it(standin, press, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(availability, "forget", die)
    with pytest.raises(KeyboardInterrupt):
        book(press)

    assert Booking.objects.get().outcome == "confirmed"


def test_a_process_that_was_held_up_sends_nothing_any_more(standin, press, monkeypatch):
    # As if all the time for it had passed between the journal and the call.
    monkeypatch.setattr(services.booking, "DEADLINE_SLACK", timedelta(seconds=-1))

    booking = book(press)

    assert booking.outcome == "not_sent"
    assert standin.count("add") == 0


def test_the_trail_is_append_only(standin, press):
    event = book(press).events.all()[0]

    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.delete()
    with pytest.raises(TypeError, match="append-only"):
        BookingEvent.objects.all().delete()


def test_the_trail_holds_neither_phone_nor_secret(standin, press):
    booking = book(wrong(press))

    trail = str([event.facts for event in booking.events.all()])
    assert REFUSED_PHONE[1:] not in trail
    assert standin.secret not in trail


# What is written


def test_all_that_was_asked_for_is_written(standin, addressed):
    made = book(addressed)
    made.refresh_from_db()

    names = (*Booking.ANSWERS, "key", "consent", "source", "client_address")
    assert [getattr(made, name) for name in names] == [getattr(addressed, name) for name in names]
    assert made.house_title == addressed.house.title != ""
    assert made.time_zone == "Asia/Yekaterinburg"
    assert made.stand_in
    assert made.holds_flat
    assert made.deadline_at > timezone.now()


def test_what_the_crm_said_is_on_the_trail_for_staff(standin, addressed):
    said = '{"status_code":200,"data":{"id":17},"message":"Записали"}'
    standin.fail("add", "status", status=200, body=said)

    made = book(addressed)

    facts = made.events.get(kind="confirmed").facts
    seconds = facts.pop("seconds")
    assert facts == {
        "http_status": 200,
        "status_code": 200,
        "message": "Записали",
        "reference": "17",
        "remarks": [],
        "reason": "",
    }
    assert made.crm_seconds == seconds == round(seconds, 3)
    assert 0 < seconds < 10


def test_after_a_booking_its_day_is_looked_at_anew(standin, addressed):
    assert availability.is_offered(addressed.house, addressed.starts_at)

    book(addressed)

    assert availability.is_offered(addressed.house, addressed.starts_at) is False


def test_an_answer_that_cannot_be_written_leaves_the_row_as_it_is(standin, addressed, monkeypatch):
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("the database went away")

    monkeypatch.setattr(settling, "settle", fail)

    made = book(addressed)

    assert Booking.objects.get().outcome == made.outcome == "sending"
    assert kinds(made) == ["sending"]
    assert standin.count("add") == 1


def test_evidence_that_cannot_be_written_hides_no_answer(standin, addressed, monkeypatch):
    standin.fail("add", "write_then_500")
    note = Booking.note

    def fail(self: Booking, kind: Any, facts: dict[str, Any]) -> None:
        if kind == BookingEvent.Kind.EVIDENCE:
            raise OperationalError("the database went away")
        note(self, kind, facts)

    monkeypatch.setattr(Booking, "note", fail)

    assert book(addressed).outcome == "in_doubt"


# Only what is offered is sent


@pytest.mark.parametrize("phone", [ACCEPTED_PHONE, REFUSED_PHONE])
def test_a_time_that_was_never_offered_is_not_sent(standin, press, phone):
    night = press.starts_at.replace(hour=3, minute=17)

    tried = book(replace(press, starts_at=night, phone=PhoneNumber.from_string(phone)))

    assert (tried.outcome, tried.reason) == ("refused", "slot_taken")
    assert standin.count("add") == 0


def test_a_time_without_room_for_the_whole_visit_is_not_sent(standin, press, settings):
    settings.BOOKING_VISIT_SLOTS = 2
    standin.hand_to_a_rival(HOUSE, later(press))

    assert book(press).reason == "slot_taken"
    assert standin.count("add") == 0


def test_a_time_of_a_day_that_cannot_be_read_is_sent(standin, press):
    standin.fail("getFreeTimes", "status")

    assert book(press).outcome == "confirmed"


def test_a_day_that_is_not_read_in_time_sends_nothing(standin, press, monkeypatch):
    monkeypatch.setattr(cache, "longest_read", lambda: 0.05)
    standin.fail("getFreeTimes", "hang")

    with pytest.raises(TooManyTries, match="day_is_being_read"):
        book(press)

    standin.recover()
    assert standin.count("add") == 0
    assert not Booking.objects.exists()


def test_after_a_failure_an_old_look_refuses_nothing(standin, press, monkeypatch):
    rival = press.starts_at
    standin.hand_to_a_rival(HOUSE, rival)
    assert availability.is_offered(press.house, rival) is False
    standin.fail("getFreeTimes", "status")
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)

    assert availability.is_offered(press.house, rival) is None


def test_a_stale_look_is_not_enough(standin, press, monkeypatch):
    assert availability.is_offered(press.house, press.starts_at)
    standin.hand_to_a_rival(HOUSE, press.starts_at)
    later = time.time() + 31
    monkeypatch.setattr(time, "time", lambda: later)

    assert availability.is_offered(press.house, press.starts_at) is False


def test_a_time_that_is_not_offered_is_refused_with_its_row(standin, addressed):
    made = book(replace(addressed, starts_at=later(addressed, 7)))

    assert (made.outcome, made.reason, made.crm_seconds) == ("refused", "slot_taken", None)
    assert made.settled_at is not None
    assert [(event.kind, event.facts) for event in made.events.all()] == [
        ("refused", {"reason": "slot_taken"})
    ]
    assert not made.holds_flat


# Who is limited, and who is proven


def test_who_is_limited_costs_the_crm_nothing(standin, addressed, settings):
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    booking(outcome="refused", reason="busy", client_address=addressed.client_address, flat="7")

    with pytest.raises(TooManyTries):
        book(addressed)

    assert standin.requests == []
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "is_proven"),
    [
        ({}, True),
        ({"outcome": "refused"}, False),
        ({"outcome": "in_doubt"}, False),
        ({"flat": "9"}, False),
    ],
    ids=["booked", "refused", "in doubt", "another flat"],
)
def test_a_browser_is_proven_by_a_booking_of_the_flat(
    standin, addressed, settings, values, is_proven
):
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    over = timezone.now() - timedelta(hours=2)
    known = booking(client_address=addressed.client_address, starts_at=over, **values)
    booking(outcome="refused", reason="busy", client_address=addressed.client_address, flat="7")
    addressed = replace(addressed, known=(known,))

    if is_proven:
        assert book(addressed).outcome == "confirmed"
    else:
        with pytest.raises(TooManyTries):
            book(addressed)
