"""How a booking is settled: by a reply, by its deadline, by a person; and when nothing changes."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from booking import services
from booking.models import Outcome
from booking.services.booking import find
from tests.bookings import HOUR, MINUTE, ago, booking, is_now, row, trail
from tests.presses import kinds, under_way

pytestmark = pytest.mark.django_db


# By the CRM's reply


def test_an_answer_is_written_with_its_event():
    made = booking(outcome="sending")
    services.settling.settle(made, Outcome.REFUSED, "declined", {"seconds": 1.25, "message": "Нет"})

    assert (made.outcome, made.reason, made.crm_seconds) == ("refused", "declined", 1.25)
    assert is_now(made.settled_at)
    facts = {"seconds": 1.25, "message": "Нет", "reason": "declined"}
    assert trail(made) == [("refused", facts)]


@pytest.mark.parametrize("outcome", ["confirmed", "refused", "not_sent"])
def test_an_answer_that_comes_too_late_changes_nothing_but_the_trail(outcome):
    made = booking(outcome=outcome, reason="resolved", settled_at=ago(hours=1))
    before = (made.reason, made.settled_at, made.crm_seconds)
    services.settling.settle(made, Outcome.CONFIRMED, "", {"seconds": 9})

    assert made.outcome == outcome
    assert (made.reason, made.settled_at, made.crm_seconds) == before
    facts = {"seconds": 9, "reason": "", "outcome": "confirmed"}
    assert trail(made) == [("late_answer", facts)]


def test_only_the_row_itself_is_settled():
    made, other = booking(outcome="sending"), booking(outcome="sending", flat="9")
    services.settling.settle(made, Outcome.CONFIRMED, "", {})

    other.refresh_from_db()
    assert other.outcome == "sending"


@pytest.mark.parametrize("outcome", ["confirmed", "in_doubt", "refused"])
def test_only_a_refusal_is_explained(outcome):
    made, other = booking(outcome=outcome), booking(outcome="refused", flat="9")
    services.settling.set_refusal_reason(made, "slot_taken")

    assert made.reason == ("slot_taken" if outcome == "refused" else "")
    other.refresh_from_db()
    assert other.reason == ""


def test_an_answer_after_the_deadline_still_settles(press):
    booking = under_way(press, deadline=timedelta(seconds=-1))
    find(booking.key)

    services.settling.settle(booking, Outcome.CONFIRMED, "", {})

    assert booking.outcome == "confirmed"
    assert kinds(booking) == ["sending", "in_doubt", "confirmed"]


# By its deadline


@pytest.mark.parametrize(
    ("values", "is_lost"),
    [
        ({"outcome": "sending", "deadline_at": MINUTE}, True),
        ({"outcome": "sending", "deadline_at": -MINUTE}, False),
        ({"outcome": "confirmed", "deadline_at": HOUR}, False),
        ({"outcome": "in_doubt", "deadline_at": HOUR}, False),
    ],
    ids=["overdue", "in time", "confirmed", "in doubt"],
)
def test_only_a_booking_that_is_overdue_is_lost_track_of(values, is_lost):
    made = row(values)
    other = booking(outcome="sending", flat="9", deadline_at=ago(seconds=1))

    assert services.settling.mark_in_doubt(made) is is_lost
    assert made.outcome == ("in_doubt" if is_lost else values["outcome"])
    assert trail(made) == ([("in_doubt", {"reason": "deadline"})] if is_lost else [])
    if is_lost:
        assert made.reason == "deadline"
        assert is_now(made.settled_at)
    other.refresh_from_db()
    assert other.outcome == "sending"


def test_a_row_left_sending_becomes_in_doubt_when_read_past_its_deadline(press):
    booking = under_way(press, deadline=timedelta(seconds=-1))

    found = find(booking.key)

    assert found is not None
    assert (found.outcome, found.reason) == ("in_doubt", "deadline")
    assert kinds(found) == ["sending", "in_doubt"]


def test_a_row_within_its_deadline_is_still_sending(press):
    booking = under_way(press, deadline=timedelta(seconds=30))

    found = find(booking.key)

    assert found is not None
    assert found.outcome == "sending"


def test_only_what_is_overdue_is_settled(standin):
    overdue = booking(outcome="sending", deadline_at=timezone.now() - timedelta(seconds=1))
    booking(outcome="sending", flat="9", deadline_at=timezone.now() + timedelta(minutes=1))
    booking(flat="7", deadline_at=timezone.now() - timedelta(days=1))

    assert services.settling.settle_overdue() == [overdue]
    assert services.settling.settle_overdue() == []


def test_an_anonymised_booking_is_not_found():
    made = booking(anonymised_at=timezone.now())

    assert services.booking.find(made.key) is None
    assert services.booking.find(uuid.uuid4()) is None


# By a person


def test_a_person_resolves_a_doubt_once():
    made = booking(outcome="in_doubt", settled_at=ago(hours=1))
    other = booking(outcome="in_doubt", flat="9")

    assert services.settling.resolve(made, was_booked=True, by="olga", note="Звонила")
    assert (made.outcome, made.reason) == ("confirmed", "resolved")
    assert is_now(made.settled_at)
    assert services.settling.resolve(made, was_booked=False, by="anna", note="") is False
    assert made.outcome == "confirmed"
    facts = {"outcome": "confirmed", "by": "olga", "note": "Звонила"}
    assert trail(made) == [("resolved", facts)]
    other.refresh_from_db()
    assert other.outcome == "in_doubt"


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "sending"},
        {"outcome": "refused"},
        {"outcome": "in_doubt", "anonymised_at": HOUR},
        {"outcome": "in_doubt", "called_off_at": HOUR},
    ],
    ids=str,
)
def test_what_is_not_in_doubt_is_not_resolved(values):
    made = row(values)

    assert not made.is_in_doubt
    assert services.settling.resolve(made, was_booked=True, by="olga", note="") is False
    assert trail(made) == []


def test_staff_tell_what_became_of_a_doubt():
    made = booking(outcome="in_doubt")

    assert services.settling.resolve(made, was_booked=False, by="olga", note="Нет в CRM")
    assert (made.outcome, made.reason) == ("refused", "resolved")
    assert services.settling.resolve(made, was_booked=True, by="olga", note="") is False


def test_who_looked_into_a_refusal_is_on_its_trail():
    made = booking(outcome="refused")
    services.settling.dismiss(made, by="olga", note="Позвонила")

    (event,) = made.events.all()
    assert (event.kind, event.facts) == ("looked_into", {"by": "olga", "note": "Позвонила"})
