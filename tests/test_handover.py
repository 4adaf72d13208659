import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, services
from booking.availability import asking
from booking.limits import TooManyTries
from booking.models import Booking, BookingEvent, Outcome
from booking.services.booking import BookingRequest, book, book_again, find
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE, Flat, shareholders
from tests.journey import FLAT, HOUSE, first_free

pytestmark = pytest.mark.django_db


def order_for(start: datetime, *, phone: str = ACCEPTED_PHONE) -> BookingRequest:
    return BookingRequest(
        key=uuid.uuid4(),
        category="flat",
        house_id=HOUSE,
        house_title="ЖК «Лесной квартал», дом 1",
        flat=FLAT,
        starts_at=start,
        phone=PhoneNumber.from_string(phone),
    )


@pytest.fixture
def order(standin: StandIn) -> BookingRequest:
    return order_for(first_free(standin))


def kinds(booking: Booking) -> list[str]:
    return [event.kind for event in booking.events.all()]


def test_a_booking_is_confirmed_and_its_trail_tells_the_story(standin, order):
    booking = book(order)

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
        book(order)
    finally:
        connection.close()


def test_the_same_order_twice_is_one_call(standin, order):
    first, second = book(order), book(order)

    assert first == second
    assert standin.count("add") == 1


def test_another_tab_with_the_same_answers_is_one_call(standin, order):
    first = book(order)
    second = book(replace(order, key=uuid.uuid4(), known=(first,)))

    assert first == second
    assert standin.count("add") == 1


@pytest.mark.parametrize("same_key", [True, False], ids=["one form", "two tabs"])
def test_sent_at_once_it_is_one_call(standin, order, transactional_db, same_key):
    def press(_):
        try:
            return book(order if same_key else replace(order, key=uuid.uuid4()))
        except TooManyTries as error:
            return error.limit
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        bookings = set(pool.map(press, range(8)))

    assert Booking.objects.filter(outcome="confirmed").count() == 1
    assert len(bookings) == 1 or not same_key
    assert standin.count("add") == 1


def test_a_second_time_for_the_same_flat_shows_the_first_booking(standin, order):
    first = book(order)
    second = book(replace(order, key=uuid.uuid4(), starts_at=_later(order), known=(first,)))

    assert second == first
    assert kinds(first)[-1] == "asked_again"
    assert standin.count("add") == 1


def test_a_visit_that_is_over_does_not_stand_in_the_way(standin, order):
    standin.switch(second_add="adds")
    first = book(order)
    Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))

    second = book(replace(order, key=uuid.uuid4(), starts_at=_later(order)))

    assert second != first
    assert second.outcome == "confirmed"


def other_phone(order, number=0):
    """Another owner of the flat, in another browser."""
    phone = shareholders(HOUSE, Flat("flat", FLAT))[number]
    return replace(order, key=uuid.uuid4(), phone=PhoneNumber.from_string(phone))


@pytest.mark.parametrize("other", ["the same phone", "another owner", "a stranger"])
def test_another_browser_does_not_book_a_flat_that_has_a_visit(standin, order, other):
    standin.switch(second_add="adds")
    first = book(order)
    late = replace(order, key=uuid.uuid4(), starts_at=_later(order))
    phones = {"another owner": other_phone(order).phone, "a stranger": REFUSED_PHONE}

    tried = book(replace(late, phone=phones.get(other, order.phone)))

    assert (tried.outcome, tried.reason) == ("refused", "has_visit")
    assert kinds(tried) == ["refused"]
    assert tried != first
    assert standin.count("add") == 1


def test_owners_who_press_at_once_are_one_call(standin, order, transactional_db):
    standin.switch(second_add="adds")
    starts = standin.free_starts(HOUSE)[:4]
    owners = (other_phone(order), replace(order, key=uuid.uuid4())) * 2
    orders = [
        replace(owner, key=uuid.uuid4(), starts_at=start)
        for owner, start in zip(owners, starts, strict=True)
    ]

    def press(one):
        try:
            return book(one).outcome
        except TooManyTries as error:
            return error.limit
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(press, orders))

    assert outcomes.count("confirmed") == 1
    assert set(outcomes) <= {"confirmed", "refused", "flat_is_being_booked"}
    assert standin.count("add") == 1


def test_the_database_lets_one_booking_hold_a_flat(order):
    holding = replace(order).to_booking()
    holding.holds_flat = True
    holding.save()
    second = other_phone(order).to_booking()
    second.holds_flat = True

    with pytest.raises(IntegrityError, match=r"one_booking_holds_a_flat|booking\.flat"):
        second.save()


def test_after_it_is_called_off_a_flat_is_free_again(standin, order):
    standin.switch(second_add="adds")
    services.visits.cancel_visit(book(order))

    second = book(replace(other_phone(order), starts_at=_later(order)))

    assert second.outcome == "confirmed"


def test_a_doubt_keeps_other_phones_out_for_half_an_hour(standin, order):
    standin.switch(second_add="adds")
    standin.fail("add", "write_then_500", times=1)
    book(order)
    late = replace(other_phone(order), starts_at=_later(order))

    assert book(late).reason == "has_visit"
    Booking.objects.filter(outcome="in_doubt").update(
        settled_at=timezone.now() - timedelta(minutes=31)
    )
    assert book(replace(late, key=uuid.uuid4())).outcome == "confirmed"


def test_a_doubt_whose_time_is_seen_free_lets_other_phones_book(standin, order):
    standin.fail("add", "drop_before_reply", times=1)
    doubt = book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))
    assert doubt.outcome == "in_doubt"

    assert book(replace(order, key=uuid.uuid4())).outcome == "confirmed"


def test_a_doubt_keeps_its_own_phone_out_until_the_visit_is_over(standin, order):
    standin.fail("add", "drop_before_reply", times=1)
    book(order)
    Booking.objects.update(settled_at=timezone.now() - timedelta(hours=5))

    again = book(replace(order, key=uuid.uuid4(), starts_at=_later(order)))

    assert again.reason == "has_visit"
    assert standin.count("add") == 1


def test_a_press_lost_by_its_worker_becomes_a_doubt_that_lets_go(standin, order):
    lost = _opened(order, deadline=timedelta(minutes=-31))

    assert book(other_phone(order)).outcome == "confirmed"
    lost.refresh_from_db()
    assert lost.outcome == "sending"
    assert [each.pk for each in services.settling.settle_overdue()] == [lost.pk]


def test_an_owner_is_not_refused_for_a_press_that_has_no_answer_yet(standin, order):
    _opened(
        replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)), deadline=timedelta(minutes=1)
    )

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(other_phone(order))

    assert Booking.objects.count() == 1
    assert standin.count("add") == 0


def test_while_it_lasts_a_refusal_without_a_call_looks_like_a_call(standin, order, monkeypatch):
    book(order)
    refused = book(replace(other_phone(order), flat="1.8-12-2", starts_at=_later(order)))
    assert refused.reason == "no_match"
    tried = replace(other_phone(order), starts_at=_later(order), client_address="198.51.100.1")
    tab = replace(tried, key=uuid.uuid4())
    seen = []

    def look(_seconds):
        under_way = Booking.objects.get(key=tried.key)
        seen.append((under_way.outcome, book(tab)))

    monkeypatch.setattr(time, "sleep", look)
    booking = book(tried)

    assert seen == [("sending", booking)]
    assert (booking.outcome, booking.reason) == ("refused", "has_visit")
    assert standin.count("add") == 2


def test_left_by_its_worker_such_a_press_is_refused(standin, order, monkeypatch):
    book(order)
    book(replace(other_phone(order), flat="1.8-12-2", starts_at=_later(order)))
    tried = replace(other_phone(order), starts_at=_later(order))

    def die(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", die)
    with pytest.raises(KeyboardInterrupt):
        book(tried)
    Booking.objects.filter(key=tried.key).update(deadline_at=timezone.now())

    assert services.settling.settle_overdue() == []
    found = Booking.objects.get(key=tried.key)
    assert (found.outcome, found.reason) == ("refused", "has_visit")


def test_while_the_day_cannot_be_read_it_ends_as_a_call_would(standin, order):
    book(order)
    standin.stop()
    availability.forget(HOUSE, order.starts_at.date())

    tried = book(replace(other_phone(order), starts_at=_later(order)))

    assert (tried.outcome, tried.reason) == ("not_sent", "unreachable")


def test_a_refusal_without_a_call_takes_as_long_as_one_of_the_crm(standin, order, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    book(order)
    Booking.objects.update(created_at=timezone.now() - timedelta(days=3))
    refused = book(replace(other_phone(order), flat="1.8-12-2", starts_at=_later(order)))
    assert refused.reason == "no_match"

    book(replace(other_phone(order), starts_at=_later(order)))

    assert waits == [refused.crm_seconds]


def test_a_refusal_without_a_call_has_the_day_read_anew_as_one_of_the_crm_does(standin, order):
    book(order)
    reads = []
    for flat in ("1.8-12-2", FLAT):
        tried = replace(other_phone(order), key=uuid.uuid4(), flat=flat, starts_at=_later(order))
        assert book(tried).outcome == "refused"
        before = standin.count("getFreeTimes")
        availability.is_offered(HOUSE, tried.starts_at)
        reads.append(standin.count("getFreeTimes") - before)

    assert reads == [1, 1]


# Only what is offered is sent


@pytest.mark.parametrize("phone", [ACCEPTED_PHONE, REFUSED_PHONE])
def test_a_time_that_was_never_offered_is_not_sent(standin, order, phone):
    night = order.starts_at.replace(hour=3, minute=17)

    tried = book(replace(order, starts_at=night, phone=PhoneNumber.from_string(phone)))

    assert (tried.outcome, tried.reason) == ("refused", "slot_taken")
    assert standin.count("add") == 0


def test_a_time_without_room_for_the_whole_visit_is_not_sent(standin, order, settings):
    settings.BOOKING_VISIT_SLOTS = 2
    standin.hand_to_a_rival(HOUSE, _later(order))

    assert book(order).reason == "slot_taken"
    assert standin.count("add") == 0


def test_a_time_of_a_day_that_cannot_be_read_is_sent(standin, order):
    standin.fail("getFreeTimes", "status")

    assert book(order).outcome == "confirmed"


def test_a_day_that_is_not_read_in_time_sends_nothing(standin, order, monkeypatch):
    monkeypatch.setattr(asking, "longest_read", lambda: 0.05)
    standin.fail("getFreeTimes", "hang")

    with pytest.raises(TooManyTries, match="day_is_being_read"):
        book(order)

    standin.recover()
    assert standin.count("add") == 0
    assert not Booking.objects.exists()


def test_after_a_failure_an_old_look_refuses_nothing(standin, order, monkeypatch):
    rival = order.starts_at
    standin.hand_to_a_rival(HOUSE, rival)
    assert availability.is_offered(HOUSE, rival) is False
    standin.fail("getFreeTimes", "status")
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)

    assert availability.is_offered(HOUSE, rival) is None


def test_a_stale_look_is_not_enough(standin, order, monkeypatch):
    assert availability.is_offered(HOUSE, order.starts_at)
    standin.hand_to_a_rival(HOUSE, order.starts_at)
    later = time.time() + 31
    monkeypatch.setattr(time, "time", lambda: later)

    assert availability.is_offered(HOUSE, order.starts_at) is False


def _later(order):
    return order.starts_at + timedelta(minutes=30)


def test_a_third_time_asked_is_noted_once(standin, order):
    first = book(order)
    for _ in range(3):
        book(replace(order, key=uuid.uuid4(), starts_at=_later(order), known=(first,)))

    assert kinds(first).count("asked_again") == 1


def test_a_process_that_was_held_up_sends_nothing_any_more(standin, order, monkeypatch):
    # As if all the time for it had passed between the journal and the call.
    monkeypatch.setattr(services.booking, "DEADLINE_SLACK", timedelta(seconds=-1))

    booking = book(order)

    assert booking.outcome == "not_sent"
    assert standin.count("add") == 0


def test_a_refused_phone_is_refused(standin, order):
    booking = book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))

    assert (booking.outcome, booking.reason) == ("refused", "no_match")
    assert standin.ledger == []


def test_a_refused_form_corrected_is_a_booking_of_its_own(standin, order):
    refused = book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))
    booking = book(order)
    again = book(order)

    assert booking.outcome == "confirmed"
    assert booking.key != refused.key
    assert again == booking
    assert standin.count("add") == 2


def test_a_time_taken_in_between_is_told_from_a_wrong_phone(standin, order):
    assert availability.is_offered(HOUSE, order.starts_at)
    standin.hand_to_a_rival(HOUSE, order.starts_at)

    booking = book(order)

    assert (booking.outcome, booking.reason) == ("refused", "slot_taken")
    assert kinds(booking) == ["sending", "refused", "evidence"]


def test_a_crm_that_is_down_means_not_sent(standin, order):
    standin.stop()

    booking = book(order)

    assert (booking.outcome, booking.reason) == ("not_sent", "unreachable")


def test_not_sent_can_be_sent_again_once(standin, order):
    standin.stop()
    not_sent = book(order)
    standin.start()

    booking = book_again(not_sent, None)
    again = book_again(not_sent, None)

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

    booking = book(order)

    assert booking.outcome == "in_doubt"
    evidence = booking.events.get(kind="evidence")
    assert evidence.facts["is_free"] is is_free
    assert standin.count("add") == 1


def test_in_doubt_is_not_sent_again(standin, order):
    standin.fail("add", "drop_before_reply", times=1)

    first = book(order)
    second = book(replace(order, key=uuid.uuid4(), known=(first,)))

    assert second == first
    assert standin.count("add") == 1


def test_the_answer_is_written_before_anything_else_is_done_with_it(standin, order, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(availability, "forget", die)
    with pytest.raises(KeyboardInterrupt):
        book(order)

    assert Booking.objects.get().outcome == "confirmed"


def test_a_row_left_sending_becomes_in_doubt_when_read_past_its_deadline(order):
    booking = _opened(order, deadline=timedelta(seconds=-1))

    found = find(booking.key)

    assert found is not None
    assert (found.outcome, found.reason) == ("in_doubt", "deadline")
    assert kinds(found) == ["sending", "in_doubt"]


def test_a_row_within_its_deadline_is_still_sending(order):
    booking = _opened(order, deadline=timedelta(seconds=30))

    found = find(booking.key)

    assert found is not None
    assert found.outcome == "sending"


def test_an_answer_after_the_deadline_still_settles(order):
    booking = _opened(order, deadline=timedelta(seconds=-1))
    find(booking.key)

    services.settling.settle(booking, Outcome.CONFIRMED, "", {})

    assert booking.outcome == "confirmed"
    assert kinds(booking) == ["sending", "in_doubt", "confirmed"]


def _opened(order, *, deadline):
    new = order.to_booking()
    new.deadline_at = timezone.now() + deadline
    new.holds_flat = True
    new.save()
    new.events.create(kind="sending")
    return new


def test_the_trail_is_append_only(standin, order):
    event = book(order).events.all()[0]

    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.delete()
    with pytest.raises(TypeError, match="append-only"):
        BookingEvent.objects.all().delete()


def test_the_trail_holds_neither_phone_nor_secret(standin, order):
    booking = book(replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE)))

    trail = str([event.facts for event in booking.events.all()])
    assert REFUSED_PHONE[1:] not in trail
    assert standin.secret not in trail
