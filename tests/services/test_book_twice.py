"""Pressed again, in another tab or with other answers: one key is one call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, rate_limits
from booking.availability import Flats, ReadyHouse
from booking.models import Booking
from booking.rate_limits import TooManyTries, Try
from booking.services.booking import book, book_again
from standin.fixtures import REFUSED_PHONE
from tests.bookings import booking
from tests.journey import FLAT, HOUSE
from tests.presses import another, kinds, later, under_way, wrong

pytestmark = pytest.mark.django_db


# One form


def test_the_same_press_twice_is_one_call(standin, press):
    first, second = book(press), book(press)

    assert first == second
    assert standin.count("add") == 1


@pytest.mark.parametrize("same_key", [True, False], ids=["one form", "two tabs"])
def test_sent_at_once_it_is_one_call(standin, press, transactional_db, same_key):
    def send(_):
        try:
            return book(press if same_key else another(press))
        except TooManyTries as error:
            return error.limit
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        bookings = set(pool.map(send, range(8)))

    assert Booking.objects.filter(outcome="confirmed").count() == 1
    assert len(bookings) == 1 or not same_key
    assert standin.count("add") == 1


def test_sent_again_it_is_not_noted_again(standin, addressed):
    made = book(addressed)
    book(addressed)

    assert kinds(made) == ["sending", "confirmed"]


def test_refused_and_sent_again_it_is_the_same_refusal(standin, addressed):
    refused = book(wrong(addressed))

    assert book(wrong(addressed)) == refused
    assert standin.count("add") == 1


def test_sent_again_with_another_time_it_leads_to_what_stands(standin, addressed):
    made = book(addressed)

    assert book(replace(addressed, starts_at=later(addressed))) == made
    assert kinds(made) == ["sending", "confirmed", "asked_again"]
    assert standin.count("add") == 1


def test_a_booking_past_its_deadline_is_in_doubt_for_who_presses_again(standin, addressed):
    made = under_way(addressed)
    Booking.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))

    again = book(addressed)

    assert (again, again.outcome) == (made, "in_doubt")
    assert standin.count("add") == 0


def test_a_press_that_lands_between_the_look_and_the_limits_leads_to_its_page(
    addressed, monkeypatch
):
    """Sent twice at once, the second met the first as a guess of its own: 429 for who is booked."""
    landed: list[Booking] = []
    check = rate_limits.check

    def land_first(new: Booking, **facts: Any) -> list[Try]:
        if not landed:
            landed.append(under_way(addressed))
        return check(new, **facts)

    monkeypatch.setattr(rate_limits, "check", land_first)

    assert book(addressed) == landed[0]
    with pytest.raises(TooManyTries):
        book(another(addressed, starts_at=later(addressed)))


# One form, corrected


def test_a_refused_form_corrected_is_a_booking_of_its_own(standin, press):
    refused = book(wrong(press))
    booking = book(press)
    again = book(press)

    assert booking.outcome == "confirmed"
    assert booking.key != refused.key
    assert again == booking
    assert standin.count("add") == 2


def test_a_form_that_is_corrected_twice_is_two_more_bookings(standin, addressed):
    first = book(wrong(addressed))
    second = book(replace(addressed, phone=PhoneNumber.from_string("+79000000077")))
    third = book(addressed)

    assert [each.outcome for each in (first, second, third)] == ["refused", "refused", "confirmed"]
    assert len({first.key, second.key, third.key}) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "garage"},
        {"house": ReadyHouse(f"{HOUSE}1", "", Flats(), ZoneInfo("UTC")), "flat": FLAT[1:]},
        {"starts_at": timezone.now()},
        {"phone": PhoneNumber.from_string(REFUSED_PHONE)},
    ],
    ids=["category", "house and flat", "time", "phone"],
)
def test_other_answers_have_another_key(addressed, changed):
    addressed = replace(addressed, flat=f"1{FLAT[1:]}")
    assert addressed.key_of_answers == replace(addressed).key_of_answers
    assert addressed.key_of_answers != replace(addressed, **changed).key_of_answers
    assert addressed.key_of_answers != addressed.key


# Another form of the same browser


def test_another_tab_with_the_same_answers_is_one_call(standin, press):
    first = book(press)
    second = book(another(press, known=(first,)))

    assert first == second
    assert standin.count("add") == 1


def test_a_second_time_for_the_same_flat_shows_the_first_booking(standin, press):
    first = book(press)
    second = book(another(press, starts_at=later(press), known=(first,)))

    assert second == first
    assert kinds(first)[-1] == "asked_again"
    assert standin.count("add") == 1


def test_a_third_time_asked_is_noted_once(standin, press):
    first = book(press)
    for _ in range(3):
        book(another(press, starts_at=later(press), known=(first,)))

    assert kinds(first).count("asked_again") == 1


def test_in_doubt_is_not_sent_again(standin, press):
    standin.fail("add", "drop_before_reply", times=1)

    first = book(press)
    second = book(another(press, known=(first,)))

    assert second == first
    assert standin.count("add") == 1


def test_of_a_call_under_way_another_tab_is_led_to_its_page(standin, addressed):
    made = under_way(addressed)

    assert book(another(addressed)) == made
    assert kinds(made) == ["sending"]


@pytest.mark.parametrize(
    "changed",
    [
        {"client_address": "198.51.100.2"},
        {"phone": PhoneNumber.from_string(REFUSED_PHONE)},
    ],
    ids=["address", "phone"],
)
def test_of_a_call_under_way_others_are_told_nothing(standin, addressed, changed):
    under_way(addressed)

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(another(addressed, **changed))


def test_without_an_address_no_tab_is_known(standin, addressed):
    addressed = replace(addressed, client_address=None)
    under_way(addressed)

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(another(addressed))


def test_once_it_is_booked_the_address_proves_nothing(standin, addressed):
    made = book(addressed)

    assert book(another(addressed)) != made
    assert book(another(addressed, starts_at=later(addressed))).reason == "has_visit"


def test_who_asks_for_another_time_is_noted_with_it(standin, addressed):
    made = book(addressed)

    assert book(another(addressed, starts_at=later(addressed), known=(made,))) == made
    asked = made.events.get(kind="asked_again")
    assert asked.facts == {"starts_at": later(addressed).isoformat(timespec="minutes")}
    book(another(addressed, starts_at=later(addressed, 60), known=(made,)))
    assert kinds(made).count("asked_again") == 2


@pytest.mark.parametrize(("address", "is_led"), [("198.51.100.1", True), ("198.51.100.2", False)])
def test_a_tab_that_was_a_moment_later_is_led_to_the_page_of_the_first(
    standin, addressed, monkeypatch, address, is_led
):
    first: list[Booking] = []

    def overtaken(*_: Any) -> bool:
        first.append(under_way(addressed))
        return True

    monkeypatch.setattr(availability, "is_offered", overtaken)

    tab = another(addressed, client_address=address)

    if is_led:
        assert book(tab) == first[0]
    else:
        with pytest.raises(TooManyTries, match="flat_is_being_booked"):
            book(tab)
    assert standin.count("add") == 0


# Once more, after nothing was sent


def test_not_sent_can_be_sent_again_once(standin, press):
    standin.stop()
    not_sent = book(press)
    standin.start()

    booking = book_again(not_sent, None)
    again = book_again(not_sent, None)

    assert booking is not None
    assert booking.outcome == "confirmed"
    assert booking.key != not_sent.key
    assert again == booking
    assert standin.count("add") == 1


def test_sent_once_more_it_is_the_same_request(standin, addressed):
    standin.stop()
    lost = book(addressed)
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


def test_what_was_sent_once_more_is_found_when_its_time_is_past(standin, addressed):
    standin.stop()
    lost = book(addressed)
    standin.start()
    made = book_again(lost, None)
    Booking.objects.update(starts_at=timezone.now() - timedelta(minutes=1))
    lost.refresh_from_db()

    assert book_again(lost, None) == made
