"""Until when a limit holds, to the second: what counts, what is forgotten, what is lifted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import rate_limits
from booking.models import Booking, LimitLift
from booking.rate_limits import Limit, TooManyTries
from tests.bookings import booking

pytestmark = pytest.mark.django_db

CLIENT, OTHER_CLIENT = "198.51.100.1", "198.51.100.2"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def few_tries(settings):
    settings.LIMIT_WINDOW_MINUTES = 60
    settings.LIMIT_PHONES_OF_CLIENT = 3
    settings.LIMIT_FLATS_OF_PHONE = 3
    settings.LIMIT_PAIRS_OF_CLIENT = 100
    settings.LIMIT_PHONES_OF_FLAT = 100
    settings.LIMIT_PRESSES_OF_CLIENT = 100
    settings.MACROCRM_ADDS_AT_ONCE = 100
    settings.MACROCRM_ADDS_PER_MINUTE = 100


def phone(number: int) -> str:
    return f"+7900765{number:04}"


def guess(minutes_ago: float, number: int = 0, **values: Any) -> Booking:
    """A refused try of the client for one flat, with a phone of its own for each number."""
    usual = {
        "outcome": "refused",
        "reason": "no_match",
        "client_address": CLIENT,
        "phone": phone(number),
        "created_at": timezone.now() - minutes_ago * MINUTE,
    }
    return booking(**usual | values)


def press(*, is_proven: bool = False, **values: Any) -> TooManyTries | None:
    """What a press meets, made in Vladivostok."""
    usual: dict[str, Any] = {
        "category": "flat",
        "house_id": "3105011",
        "flat": "1.8-12-1",
        "phone": PhoneNumber.from_string(phone(99)),
        "client_address": CLIENT,
        "time_zone": "Asia/Vladivostok",
    }
    try:
        rate_limits.check(Booking(**usual | values), is_proven=is_proven)
    except TooManyTries as error:
        return error
    return None


def assert_held(held: TooManyTries | None, limit: Limit, minutes: float) -> None:
    """That this limit holds, and for so long from now on."""
    assert held is not None
    assert held.limit == limit
    ends = timezone.now() + minutes * MINUTE
    assert abs(held.until - ends) < timedelta(seconds=20)
    assert str(held.until.tzinfo) == "Asia/Vladivostok"
    assert abs(held.seconds - minutes * 60) < 20
    assert str(held) == f"{limit}: no more tries before {held.until:%H:%M:%S}"


def test_the_names_of_limits_are_those_of_the_metrics():
    """Alerts and the dashboard of an operator name them."""
    assert {limit.value for limit in Limit} == {limit.name.lower() for limit in Limit}


# Hard


def test_a_hard_limit_ends_when_one_guess_fewer_is_remembered():
    for minutes, number in ((10, 1), (20, 2), (50, 3)):
        guess(minutes, number)
    assert_held(press(), Limit.PHONES_OF_CLIENT, 10)

    guess(55, 4)
    assert_held(press(), Limit.PHONES_OF_CLIENT, 10)


def test_a_guess_repeated_counts_once_and_from_its_last_time():
    guess(10, 1)
    guess(20, 2)
    guess(30, 2)
    assert press() is None

    guess(40, 3)
    guess(50, 3)
    assert_held(press(), Limit.PHONES_OF_CLIENT, 20)


def test_a_phone_that_was_tried_may_be_tried_again():
    for number in range(3):
        guess(10, number)

    assert press(phone=PhoneNumber.from_string(phone(1))) is None
    assert press() is not None


def test_guesses_are_forgotten_after_the_window():
    guess(10, 1)
    guess(20, 2)
    guess(60.1, 3)
    assert press() is None

    guess(59.5, 4)
    assert_held(press(), Limit.PHONES_OF_CLIENT, 0.5)


def test_a_hard_limit_holds_for_a_browser_that_is_proven_too():
    for number in range(3):
        guess(10, number)

    assert_held(press(is_proven=True), Limit.PHONES_OF_CLIENT, 50)


@pytest.mark.parametrize(
    "other",
    [
        {"client_address": OTHER_CLIENT},
        {"client_address": None},
        {"flat": "9"},
        {"house_id": "9"},
        {"category": "garage"},
    ],
    ids=str,
)
def test_guesses_of_other_clients_or_for_other_flats_are_not_counted(other):
    for number in range(3):
        guess(10, number, **other)

    assert press() is None


def test_one_phone_at_many_flats_is_limited_for_a_client():
    for number in range(3):
        guess(10 + number, flat=str(number))

    assert_held(press(phone=PhoneNumber.from_string(phone(0))), Limit.FLATS_OF_CLIENT, 48)
    again = press(phone=PhoneNumber.from_string(phone(0)), flat="1")
    assert again is None


# Soft: one try a minute


def test_of_many_pairs_a_client_waits_a_minute_after_its_last_press(settings):
    settings.LIMIT_PAIRS_OF_CLIENT = 3
    for minutes, number in ((0.5, 1), (10, 2), (20, 3)):
        guess(minutes, number, flat=str(number))
    assert_held(press(), Limit.PAIRS_OF_CLIENT, 0.5)
    assert press(is_proven=True) is None
    assert press(client_address=OTHER_CLIENT) is None
    assert press(client_address=None) is None

    Booking.objects.update(created_at=timezone.now() - 1.1 * MINUTE)
    assert press() is None


def test_a_press_that_was_no_guess_paces_as_well(settings):
    settings.LIMIT_PAIRS_OF_CLIENT = 2
    guess(10, 1)
    guess(10, 2)
    guess(0.25, 3, reason="slot_taken", flat="9")

    assert_held(press(), Limit.PAIRS_OF_CLIENT, 0.75)


def test_a_guess_repeated_within_a_minute_waits_for_its_end():
    guess(0.25, 99)

    assert_held(press(), Limit.SAME_PAIR, 0.75)


def test_what_was_refused_for_its_time_may_be_pressed_again_at_once():
    guess(0.25, 99, reason="slot_taken")

    assert press() is None


def test_of_a_flat_at_which_many_guess_each_client_has_a_try_a_minute(settings):
    settings.LIMIT_PHONES_OF_FLAT = 3
    for number in range(3):
        guess(0.5, number, client_address=f"203.0.113.{number}")

    assert_held(press(client_address="203.0.113.1"), Limit.PHONES_OF_FLAT, 0.5)
    assert press(client_address=OTHER_CLIENT) is None
    assert press(client_address="203.0.113.1", is_proven=True) is None
    assert press(client_address="203.0.113.1", flat="9") is None


def test_a_phone_that_is_tried_at_many_flats_has_one_try_a_minute_in_all():
    for number in range(3):
        guess(0.5 + number, flat=str(number), client_address=f"203.0.113.{number}")
    tried = {"phone": PhoneNumber.from_string(phone(0)), "client_address": OTHER_CLIENT}

    assert_held(press(**tried), Limit.FLATS_OF_PHONE, 0.5)
    assert press(**tried, is_proven=True) is None
    assert press(**tried, flat="1") is None


def test_a_client_has_so_many_presses_in_a_minute(settings):
    settings.LIMIT_PRESSES_OF_CLIENT = 3
    for seconds in (10, 20):
        guess(seconds / 60, reason="busy")
    guess(1.1, reason="busy")
    assert press() is None

    guess(40 / 60, reason="busy")
    assert_held(press(), Limit.PRESSES_OF_CLIENT, 20 / 60)
    assert press(is_proven=True) is None
    assert press(client_address=OTHER_CLIENT) is None
    assert press(client_address=None) is None


# What the CRM bears


def sent(seconds_ago: float, **values: Any) -> Booking:
    created_at = timezone.now() - timedelta(seconds=seconds_ago)
    return booking(flat=f"{seconds_ago}", created_at=created_at, **{"crm_seconds": 0.5} | values)


def test_the_crm_has_so_many_in_hand_whoever_presses(settings):
    settings.MACROCRM_ADDS_AT_ONCE = 2
    overdue = timezone.now() - MINUTE
    sent(90, outcome="sending", crm_seconds=None)
    sent(91, outcome="sending", crm_seconds=None, deadline_at=overdue)
    sent(92)
    assert press(client_address=None) is None

    sent(93, outcome="sending", crm_seconds=None)
    for is_proven in (False, True):
        held = press(client_address=None, is_proven=is_proven)
        assert_held(held, Limit.ADDS_AT_ONCE, 5 / 60)
        assert held is not None
        assert held.seconds <= 5


def test_the_crm_is_asked_so_often_in_a_minute_whoever_presses(settings):
    settings.MACROCRM_ADDS_PER_MINUTE = 3
    sent(10)
    sent(20, outcome="sending", crm_seconds=None)
    sent(25, outcome="refused", crm_seconds=None)
    sent(61)
    assert press(client_address=None) is None

    sent(40, outcome="refused")
    for is_proven in (False, True):
        held = press(client_address=None, is_proven=is_proven)
        assert_held(held, Limit.ADDS_PER_MINUTE, 20 / 60)


def test_a_wait_is_a_second_at_least():
    assert TooManyTries("x", timezone.now() - MINUTE).seconds == 1
    assert TooManyTries("x", timezone.now() + timedelta(seconds=2.5)).seconds == 3


# For staff


def lifted(minutes_ago: float) -> None:
    """What holds first is lifted, so long ago."""
    at = timezone.now() - minutes_ago * MINUTE
    LimitLift.objects.create(subject=rate_limits.holding()[0].subject, by="olga", at=at)


def held_now() -> dict[Limit, rate_limits.Holding]:
    return {each.limit: each for each in rate_limits.holding()}


def test_staff_see_who_guessed_last_and_until_when(settings):
    for minutes in (5, 10, 20):
        guess(minutes, minutes)
    guess(1, 5, client_address=OTHER_CLIENT)
    guess(1, 6, reason="slot_taken")

    holding = held_now()

    assert set(holding) == {Limit.PHONES_OF_CLIENT}
    held = holding[Limit.PHONES_OF_CLIENT]
    assert held.newest.phone == phone(5)
    assert held.newest.client == CLIENT
    assert held.newest.flat == ("flat", "3105011", "1.8-12-1")
    assert abs(held.until - (timezone.now() + 40 * MINUTE)) < timedelta(seconds=20)


def test_the_newest_guess_comes_first():
    for number in range(3):
        guess(10, number)
        guess(5, number, client_address=OTHER_CLIENT)

    assert [each.newest.client for each in rate_limits.holding()] == [OTHER_CLIENT, CLIENT]


def test_what_was_lifted_counts_no_more_but_what_comes_after_it_does():
    for number in range(3):
        guess(10, number)
    lifted(5)
    assert press() is None

    for number in range(3, 5):
        guess(3, number)
    assert press() is None
    guess(4, 5)
    assert_held(press(), Limit.PHONES_OF_CLIENT, 56)


def test_the_last_lift_counts():
    for number in range(3):
        guess(10, number)
    lifted(15)
    assert press() is not None
    lifted(5)

    assert press() is None


def test_a_lift_is_of_one_limit_and_one_client(settings):
    for number in range(3):
        guess(10, number)
        guess(10, number, client_address=OTHER_CLIENT)
    held = next(each for each in rate_limits.holding() if each.newest.client == CLIENT)
    rate_limits.lift(held, by="olga")

    assert press() is None
    assert press(client_address=OTHER_CLIENT) is not None
    settings.LIMIT_PAIRS_OF_CLIENT = 3
    Booking.objects.update(created_at=timezone.now() - 0.5 * MINUTE)
    assert_held(press(), Limit.PAIRS_OF_CLIENT, 0.5)
