import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, handover
from booking.handover import Order
from booking.models import Booking, BookingEvent, Outcome
from booking.standin import StandIn
from booking.standin.estate import ACCEPTED_PHONE, REFUSED_PHONE
from tests.journey import FLAT, HOUSE, first_free

pytestmark = pytest.mark.django_db


def order_for(start: datetime, *, phone: str = ACCEPTED_PHONE) -> Order:
    return Order(
        key=uuid.uuid4(),
        category="flat",
        house_id=HOUSE,
        house_title="ЖК «Лесной квартал», дом 1",
        flat=FLAT,
        starts_at=start,
        phone=PhoneNumber.from_string(phone),
    )


@pytest.fixture
def order(standin: StandIn) -> Order:
    return order_for(first_free(standin))


def kinds(booking: Booking) -> list[str]:
    return [event.kind for event in booking.events.all()]


def test_a_booking_is_confirmed_and_its_trail_tells_the_story(standin, order):
    booking = handover.book(order)

    assert booking.outcome == "confirmed"
    assert kinds(booking) == ["sending", "confirmed"]
    (entry,) = standin.ledger
    assert (entry.house_id, entry.number, entry.category) == (HOUSE, FLAT, "flat")
    assert entry.transfer_date == f"{order.starts_at:%Y-%m-%dT%H:%M}"


def test_the_row_is_there_before_the_crm_hears_of_it(standin, order, transactional_db):
    standin.fail("add", "hang")
    with ThreadPoolExecutor() as pool:
        pool.submit(_book_and_hang_up, order)
        standin.wait_for("add")

        assert Booking.objects.get().outcome == "sending"

        standin.recover()


def _book_and_hang_up(order):
    try:
        handover.book(order)
    finally:
        connection.close()


def test_the_same_order_twice_is_one_call(standin, order):
    first, second = handover.book(order), handover.book(order)

    assert first == second
    assert standin.count("add") == 1


def test_another_tab_with_the_same_answers_is_one_call(standin, order):
    first = handover.book(order)
    second = handover.book(replace(order, key=uuid.uuid4()))

    assert first == second
    assert standin.count("add") == 1


@pytest.mark.parametrize("same_key", [True, False], ids=["one form", "two tabs"])
def test_sent_at_once_it_is_one_call(standin, order, transactional_db, same_key):
    def book(_):
        try:
            return handover.book(order if same_key else replace(order, key=uuid.uuid4()))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        bookings = set(pool.map(book, range(8)))

    assert len(bookings) == 1
    assert standin.count("add") == 1


def test_a_second_time_for_the_same_flat_shows_the_first_booking(standin, order):
    first = handover.book(order)
    second = handover.book(replace(order, key=uuid.uuid4(), starts_at=_later(order)))

    assert second == first
    assert kinds(first)[-1] == "asked_again"
    assert standin.count("add") == 1


def test_a_second_visit_can_be_booked_knowingly(standin, order):
    standin.switch(second_add="adds")
    first = handover.book(order)
    second = handover.book(
        replace(order, key=uuid.uuid4(), starts_at=_later(order), after=first.key)
    )

    assert second.follows == first
    assert second.outcome == "confirmed"
    assert standin.count("add") == 2


def test_two_tabs_going_on_knowingly_are_one_more_call(standin, order):
    standin.switch(second_add="adds")
    first = handover.book(order)
    again = replace(order, key=uuid.uuid4(), starts_at=_later(order), after=first.key)
    second = handover.book(again)
    third = handover.book(
        replace(again, key=uuid.uuid4(), starts_at=again.starts_at + timedelta(hours=1))
    )

    assert third == second
    assert standin.count("add") == 2


def test_a_visit_that_is_over_does_not_stand_in_the_way(standin, order):
    standin.switch(second_add="adds")
    first = handover.book(order)
    Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))

    second = handover.book(replace(order, key=uuid.uuid4(), starts_at=_later(order)))

    assert second != first
    assert second.follows == first


def _later(order):
    return order.starts_at + timedelta(minutes=30)


def test_a_third_time_asked_is_noted_once(standin, order):
    first = handover.book(order)
    for _ in range(3):
        handover.book(replace(order, key=uuid.uuid4(), starts_at=_later(order)))

    assert kinds(first).count("asked_again") == 1


def test_a_process_that_was_held_up_sends_nothing_any_more(standin, order, monkeypatch):
    # As if all the time for it had passed between the journal and the call.
    monkeypatch.setattr(handover, "BOOKKEEPING", timedelta(seconds=-1))

    booking = handover.book(order)

    assert booking.outcome == "not_sent"
    assert standin.count("add") == 0


def test_a_refused_phone_is_refused(standin, order):
    booking = handover.book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))

    assert (booking.outcome, booking.reason) == ("refused", "no_match")
    assert standin.ledger == []


def test_a_refused_form_corrected_is_a_booking_of_its_own(standin, order):
    refused = handover.book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))
    booking = handover.book(order)
    again = handover.book(order)

    assert booking.outcome == "confirmed"
    assert booking.key != refused.key
    assert again == booking
    assert standin.count("add") == 2


def test_a_time_taken_in_between_is_told_from_a_wrong_phone(standin, order):
    standin.hand_to_a_rival(HOUSE, order.starts_at)

    booking = handover.book(order)

    assert (booking.outcome, booking.reason) == ("refused", "slot_taken")
    assert kinds(booking) == ["sending", "refused", "evidence"]


def test_a_crm_that_is_down_means_not_sent(standin, order):
    standin.stop()

    booking = handover.book(order)

    assert (booking.outcome, booking.reason) == ("not_sent", "unreachable")


def test_not_sent_can_be_sent_again_once(standin, order):
    standin.stop()
    not_sent = handover.book(order)
    standin.start()

    booking = handover.book_again(not_sent, None)
    again = handover.book_again(not_sent, None)

    assert booking is not None
    assert booking.outcome == "confirmed"
    assert booking.key != not_sent.key
    assert again == booking
    assert standin.count("add") == 1


@pytest.mark.parametrize(
    ("fault", "is_free"), [("write_then_500", False), ("drop_before_reply", True)]
)
def test_in_doubt_gathers_evidence(standin, order, fault, is_free):
    standin.fail("add", fault)

    booking = handover.book(order)

    assert booking.outcome == "in_doubt"
    evidence = booking.events.get(kind="evidence")
    assert evidence.facts["is_free"] is is_free
    assert standin.count("add") == 1


def test_in_doubt_is_not_sent_again(standin, order):
    standin.fail("add", "drop_before_reply", times=1)

    first = handover.book(order)
    second = handover.book(replace(order, key=uuid.uuid4()))

    assert second == first
    assert standin.count("add") == 1


def test_the_answer_is_written_before_anything_else_is_done_with_it(standin, order, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(availability, "forget", die)
    with pytest.raises(KeyboardInterrupt):
        handover.book(order)

    assert Booking.objects.get().outcome == "confirmed"


def test_a_row_left_sending_becomes_in_doubt_when_read_past_its_deadline(order):
    booking, _ = _opened(order, deadline=timedelta(seconds=-1))

    found = handover.find(booking.key)

    assert found is not None
    assert (found.outcome, found.reason) == ("in_doubt", "deadline")
    assert kinds(found) == ["sending", "in_doubt"]


def test_a_row_within_its_deadline_is_still_sending(order):
    booking, _ = _opened(order, deadline=timedelta(seconds=30))

    found = handover.find(booking.key)

    assert found is not None
    assert found.outcome == "sending"


def test_an_answer_after_the_deadline_still_settles(order):
    booking, _ = _opened(order, deadline=timedelta(seconds=-1))
    handover.find(booking.key)

    booking.settle(Outcome.CONFIRMED, "", {})

    assert booking.outcome == "confirmed"
    assert kinds(booking) == ["sending", "in_doubt", "confirmed"]


def _opened(order, *, deadline):
    return Booking.objects.open(
        key=order.key,
        lives_for=deadline,
        check=lambda _booking: None,
        category=order.category,
        house_id=order.house_id,
        flat=order.flat,
        phone=order.phone,
        starts_at=order.starts_at,
        time_zone="Asia/Yekaterinburg",
    )


def test_the_trail_is_append_only(standin, order):
    event = handover.book(order).events.all()[0]

    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.delete()
    with pytest.raises(TypeError, match="append-only"):
        BookingEvent.objects.all().delete()


def test_the_trail_holds_neither_phone_nor_secret(standin, order):
    booking = handover.book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))

    trail = str([event.facts for event in booking.events.all()])
    assert REFUSED_PHONE[1:] not in trail
    assert standin.secret not in trail
