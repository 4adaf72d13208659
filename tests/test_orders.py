"""What becomes of an order: it is written whole, sent once, and told to its own browser alone."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, limits
from booking.limits import TooManyTries
from booking.models import Booking, BookingEvent
from booking.services import settling
from booking.services.booking import BookingRequest, book, book_again
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests.bookings import booking
from tests.journey import FLAT, HOUSE, first_free

pytestmark = pytest.mark.django_db

DECLINED = '{"status_code":400,"data":[],"message":"Нельзя записать"}'


@pytest.fixture
def order(standin: StandIn) -> BookingRequest:
    return BookingRequest(
        key=uuid.uuid4(),
        category="flat",
        house_id=HOUSE,
        house_title="Лесной квартал, дом 1",
        flat=FLAT,
        starts_at=first_free(standin),
        phone=PhoneNumber.from_string(ACCEPTED_PHONE),
        consent="2026-11-24",
        source={"ref": "site"},
        client_address="198.51.100.1",
        stand_in=True,
    )


def kinds(made: Booking) -> list[str]:
    return [event.kind for event in made.events.all()]


def wrong(order: BookingRequest) -> BookingRequest:
    return replace(order, phone=PhoneNumber.from_string(REFUSED_PHONE))


def another(order: BookingRequest, **changes: Any) -> BookingRequest:
    """An order of another form."""
    return replace(order, key=uuid.uuid4(), **changes)


def later(order: BookingRequest, minutes: int = 30) -> datetime:
    return order.starts_at + timedelta(minutes=minutes)


def standing(order: BookingRequest) -> Booking:
    """The order's booking while its call is under way."""
    made = order.to_booking()
    made.holds_flat = True
    made.save()
    made.events.create(kind="sending")
    return made


def test_a_press_that_lands_between_the_look_and_the_limits_leads_to_its_page(order, monkeypatch):
    """Sent twice at once, the second met the first as a guess of its own: 429 for who is booked."""
    landed: list[Booking] = []
    check = limits.check

    def land_first(new: Booking, *, is_proven: bool) -> None:
        if not landed:
            landed.append(standing(order))
        check(new, is_proven=is_proven)

    monkeypatch.setattr(limits, "check", land_first)

    assert book(order) == landed[0]
    with pytest.raises(TooManyTries):
        book(another(order, starts_at=later(order)))


# What is written


def test_all_that_was_asked_for_is_written(standin, order):
    made = book(order)
    made.refresh_from_db()

    names = (*Booking.ANSWERS, "key", "house_title", "consent", "source", "client_address")
    assert [getattr(made, name) for name in names] == [getattr(order, name) for name in names]
    assert made.time_zone == "Asia/Yekaterinburg"
    assert made.stand_in
    assert made.holds_flat
    assert made.deadline_at > timezone.now()


def test_what_the_crm_said_is_on_the_trail_for_staff(standin, order):
    said = '{"status_code":200,"data":{"id":17},"message":"Записали"}'
    standin.fail("add", "status", status=200, body=said)

    made = book(order)

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


def test_after_a_booking_its_day_is_looked_at_anew(standin, order):
    assert availability.is_offered(HOUSE, order.starts_at)

    book(order)

    assert availability.is_offered(HOUSE, order.starts_at) is False


def test_a_time_that_is_not_offered_is_refused_with_its_row(standin, order):
    made = book(replace(order, starts_at=later(order, 7)))

    assert (made.outcome, made.reason, made.crm_seconds) == ("refused", "slot_taken", None)
    assert made.settled_at is not None
    assert [(event.kind, event.facts) for event in made.events.all()] == [
        ("refused", {"reason": "slot_taken"})
    ]
    assert not made.holds_flat


def test_an_answer_that_cannot_be_written_leaves_the_row_as_it_is(standin, order, monkeypatch):
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("the database went away")

    monkeypatch.setattr(settling, "settle", fail)

    made = book(order)

    assert Booking.objects.get().outcome == made.outcome == "sending"
    assert kinds(made) == ["sending"]
    assert standin.count("add") == 1


def test_evidence_that_cannot_be_written_hides_no_answer(standin, order, monkeypatch):
    standin.fail("add", "write_then_500")
    note = Booking.note

    def fail(self: Booking, kind: Any, facts: dict[str, Any]) -> None:
        if kind == BookingEvent.Kind.EVIDENCE:
            raise OperationalError("the database went away")
        note(self, kind, facts)

    monkeypatch.setattr(Booking, "note", fail)

    assert book(order).outcome == "in_doubt"


# Sent again


def test_sent_again_it_is_not_noted_again(standin, order):
    made = book(order)
    book(order)

    assert kinds(made) == ["sending", "confirmed"]


def test_refused_and_sent_again_it_is_the_same_refusal(standin, order):
    refused = book(wrong(order))

    assert book(wrong(order)) == refused
    assert standin.count("add") == 1


def test_sent_again_with_another_time_it_leads_to_what_stands(standin, order):
    made = book(order)

    assert book(replace(order, starts_at=later(order))) == made
    assert kinds(made) == ["sending", "confirmed", "asked_again"]
    assert standin.count("add") == 1


def test_a_form_that_is_corrected_twice_is_two_more_bookings(standin, order):
    first = book(wrong(order))
    second = book(replace(order, phone=PhoneNumber.from_string("+79000000077")))
    third = book(order)

    assert [each.outcome for each in (first, second, third)] == ["refused", "refused", "confirmed"]
    assert len({first.key, second.key, third.key}) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "garage"},
        {"house_id": f"{HOUSE}1", "flat": FLAT[1:]},
        {"starts_at": timezone.now()},
        {"phone": PhoneNumber.from_string(REFUSED_PHONE)},
    ],
    ids=["category", "house and flat", "time", "phone"],
)
def test_other_answers_have_another_key(order, changed):
    order = replace(order, flat=f"1{FLAT[1:]}")
    assert order.key_of_answers == replace(order).key_of_answers
    assert order.key_of_answers != replace(order, **changed).key_of_answers
    assert order.key_of_answers != order.key


def test_of_a_call_under_way_another_tab_is_led_to_its_page(standin, order):
    made = standing(order)

    assert book(another(order)) == made
    assert kinds(made) == ["sending"]


@pytest.mark.parametrize(
    "changed",
    [
        {"client_address": "198.51.100.2"},
        {"phone": PhoneNumber.from_string(REFUSED_PHONE)},
    ],
    ids=["address", "phone"],
)
def test_of_a_call_under_way_others_are_told_nothing(standin, order, changed):
    standing(order)

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(another(order, **changed))


def test_without_an_address_no_tab_is_known(standin, order):
    order = replace(order, client_address=None)
    standing(order)

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(another(order))


def test_once_it_is_booked_the_address_proves_nothing(standin, order):
    made = book(order)

    assert book(another(order)) != made
    assert book(another(order, starts_at=later(order))).reason == "has_visit"


def test_who_asks_for_another_time_is_noted_with_it(standin, order):
    made = book(order)

    assert book(another(order, starts_at=later(order), known=(made,))) == made
    asked = made.events.get(kind="asked_again")
    assert asked.facts == {"starts_at": later(order).isoformat(timespec="minutes")}
    book(another(order, starts_at=later(order, 60), known=(made,)))
    assert kinds(made).count("asked_again") == 2


def test_a_booking_past_its_deadline_is_in_doubt_for_who_presses_again(standin, order):
    made = standing(order)
    Booking.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))

    again = book(order)

    assert (again, again.outcome) == (made, "in_doubt")
    assert standin.count("add") == 0


@pytest.mark.parametrize(("address", "is_led"), [("198.51.100.1", True), ("198.51.100.2", False)])
def test_a_tab_that_was_a_moment_later_is_led_to_the_page_of_the_first(
    standin, order, monkeypatch, address, is_led
):
    first: list[Booking] = []

    def overtaken(*_: Any) -> bool:
        first.append(standing(order))
        return True

    monkeypatch.setattr(availability, "is_offered", overtaken)

    tab = another(order, client_address=address)

    if is_led:
        assert book(tab) == first[0]
    else:
        with pytest.raises(TooManyTries, match="flat_is_being_booked"):
            book(tab)
    assert standin.count("add") == 0


# Who is limited, and who is proven


def test_who_is_limited_costs_the_crm_nothing(standin, order, settings):
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    booking(outcome="refused", reason="busy", client_address=order.client_address, flat="7")

    with pytest.raises(TooManyTries):
        book(order)

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
def test_a_browser_is_proven_by_a_booking_of_the_flat(standin, order, settings, values, is_proven):
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    over = timezone.now() - timedelta(hours=2)
    known = booking(client_address=order.client_address, starts_at=over, **values)
    booking(outcome="refused", reason="busy", client_address=order.client_address, flat="7")
    order = replace(order, known=(known,))

    if is_proven:
        assert book(order).outcome == "confirmed"
    else:
        with pytest.raises(TooManyTries):
            book(order)


# A flat that has a visit


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """How long each wait would have been."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def refused_before(**values: Any) -> Booking:
    usual = {"outcome": "refused", "reason": "no_match", "flat": "9", "crm_seconds": 0.7}
    return booking(**usual | values)


def test_a_refusal_without_a_call_is_like_one_of_the_last_ten(standin, order, slept, monkeypatch):
    book(order)
    for number in range(12):
        then = timezone.now() - timedelta(hours=number + 2)
        refused_before(crm_seconds=float(number), created_at=then)
    refused_before(crm_seconds=None)
    seen: list[list[float]] = []

    def first(rows: list[Booking]) -> Booking:
        seen.append([float(row.crm_seconds or 0) for row in rows])
        return rows[0]

    monkeypatch.setattr(random, "choice", first)
    book(another(wrong(order), starts_at=later(order)))

    assert seen == [[float(number) for number in range(10)]]
    assert slept == [0.0]


def test_it_waits_no_longer_than_a_call_may_take(standin, order, slept, settings):
    settings.MACROCRM_CONNECT_TIMEOUT, settings.MACROCRM_READ_TIMEOUT = 2.0, 5.0
    book(order)
    refused_before(crm_seconds=1000.0, created_at=timezone.now() - timedelta(hours=2))

    book(another(wrong(order), starts_at=later(order)))

    assert slept == [7.0]


@pytest.mark.parametrize(("reason", "looks"), [("declined", 1), ("no_match", 0)])
def test_it_looks_at_the_time_if_that_one_did(standin, order, slept, reason, looks):
    book(order)
    refused_before(reason=reason, created_at=timezone.now() - timedelta(hours=2))
    assert availability.is_offered(HOUSE, later(order))
    before = standin.count("getFreeTimes")

    book(another(wrong(order), starts_at=later(order)))

    assert standin.count("getFreeTimes") == before + looks


# One press more, after nothing was sent


def test_sent_once_more_it_is_the_same_order(standin, order):
    standin.stop()
    lost = book(order)
    standin.start()

    made = book_again(lost, "198.51.100.9")

    assert made is not None
    names = (*Booking.ANSWERS, "house_title", "consent", "source", "stand_in", "time_zone")
    assert [getattr(made, name) for name in names] == [getattr(lost, name) for name in names]
    assert made.client_address == "198.51.100.9"
    assert made.outcome == "confirmed"


@pytest.mark.parametrize("outcome", ["confirmed", "refused", "in_doubt", "sending"])
def test_what_was_sent_is_not_sent_once_more(standin, outcome):
    made = booking(outcome=outcome)

    assert book_again(made, None) == made
    assert standin.count("add") == 0


def test_a_time_that_is_past_is_not_sent_once_more(standin):
    lost = booking(outcome="not_sent", starts_at=timezone.now() - timedelta(minutes=1))

    assert book_again(lost, None) is None
    assert Booking.objects.count() == 1


def test_what_was_sent_once_more_is_found_when_its_time_is_past(standin, order):
    standin.stop()
    lost = book(order)
    standin.start()
    made = book_again(lost, None)
    Booking.objects.update(starts_at=timezone.now() - timedelta(minutes=1))
    lost.refresh_from_db()

    assert book_again(lost, None) == made
