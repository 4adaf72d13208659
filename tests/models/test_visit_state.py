"""One word for how a visit stands, the same for one booking and for a condition on many."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from booking.models import Booking, Outcome, VisitState, in_state
from booking.models.visit_state import state_of
from tests.bookings import booking

NOW = timezone.now()
SET, UNSET = NOW, None
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"outcome": "sending"}, "sending"),
        ({"outcome": "refused"}, "refused"),
        ({"outcome": "not_sent"}, "not_sent"),
        ({"outcome": "in_doubt"}, "in_doubt"),
        ({"outcome": "in_doubt", "starts_at": EARLIER}, "in_doubt"),
        ({"outcome": "confirmed", "starts_at": LATER}, "expected"),
        ({"outcome": "confirmed", "starts_at": NOW}, "over"),
        ({"outcome": "confirmed", "starts_at": EARLIER}, "over"),
        ({"outcome": "confirmed", "starts_at": LATER, "called_off_at": SET}, "called_off"),
        ({"outcome": "confirmed", "starts_at": EARLIER, "called_off_at": SET}, "called_off"),
        ({"outcome": "confirmed", "starts_at": LATER, "moved_at": SET}, "moved"),
        ({"outcome": "confirmed", "starts_at": EARLIER, "moved_at": SET}, "moved"),
    ],
)
def test_a_booking_has_one_state(values, state):
    assert state_of(Booking(**{"starts_at": LATER} | values), NOW) == state


@pytest.mark.django_db
def test_a_condition_finds_the_bookings_of_that_state_and_no_others():
    combinations = product(Outcome.values, (EARLIER, NOW, LATER), (SET, UNSET), (SET, UNSET))
    for number, (outcome, starts_at, moved_at, called_off_at) in enumerate(combinations):
        booking(
            flat=str(number),
            outcome=outcome,
            starts_at=starts_at,
            moved_at=moved_at,
            called_off_at=called_off_at,
        )
    every = list(Booking.objects.order_by("pk"))

    for state in VisitState:
        found = Booking.objects.filter(in_state(state, now=NOW)).order_by("pk")
        assert list(found) == [each for each in every if state_of(each, NOW) is state]
        assert found, f"nothing is {state}"
    either = Booking.objects.filter(in_state(VisitState.MOVED, VisitState.OVER, now=NOW))
    assert either.count() == sum(state_of(each, NOW) in {"moved", "over"} for each in every)


def test_every_state_has_a_word_of_its_own():
    assert {state.value: str(state.label) for state in VisitState} == {
        "sending": "отправляется",
        "expected": "ожидается",
        "over": "прошёл",
        "moved": "перенесён",
        "called_off": "отменён",
        "refused": "отказ",
        "not_sent": "не отправлена",
        "in_doubt": "под вопросом",
    }
