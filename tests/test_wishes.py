"""What staff tell of a booking, and what becomes of a buyer's wish to move or cancel a visit."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from booking import services
from booking.models import Booking, BookingEvent, ChangeRequest
from tests.bookings import booking

pytestmark = pytest.mark.django_db


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


def test_a_wish_is_taken_once_and_noted():
    made, over = booking(), booking(flat="9", starts_at=timezone.now() - timedelta(hours=1))

    assert services.requests.ask(made, ChangeRequest.Kind.MOVE, "В субботу") is True
    assert services.requests.ask(made, ChangeRequest.Kind.CANCEL, "") is False
    assert services.requests.ask(over, ChangeRequest.Kind.CANCEL, "") is False

    (request,) = ChangeRequest.objects.all()
    assert (request.booking, request.kind, request.wish) == (made, "move", "В субботу")
    (event,) = BookingEvent.objects.all()
    assert (event.kind, event.facts) == ("change_asked", {"wish": "move", "words": "В субботу"})


def test_a_wish_for_a_visit_that_was_called_off_meanwhile_is_not_taken():
    made = booking()
    as_the_buyer_saw_it = Booking.objects.get(pk=made.pk)
    services.visits.cancel_visit(made)

    assert services.requests.ask(as_the_buyer_saw_it, ChangeRequest.Kind.MOVE, "") is False
    assert not ChangeRequest.objects.exists()


def test_an_answer_that_comes_twice_does_not_answer_the_next_wish():
    made = booking()
    first = made.change_requests.create(kind="move")
    services.visits.answer(first, answer="Нет", by="olga")
    second = made.change_requests.create(kind="cancel")

    assert services.visits.answer(first, answer="Да", by="anna", cancels=True) is False
    second.refresh_from_db()
    made.refresh_from_db()
    assert second.is_open
    assert made.called_off_at is None


def test_a_visit_that_was_called_off_meanwhile_is_not_moved():
    made = booking()
    asked = made.change_requests.create(kind="move")
    services.visits.cancel_visit(made)
    tomorrow = timezone.now() + timedelta(days=1)

    assert services.visits.answer(asked, answer="Да", by="olga", moved_to=tomorrow) is False
    asked.refresh_from_db()
    assert (asked.is_open, asked.answer) == (True, "")
    assert not BookingEvent.objects.exists()
    assert Booking.objects.count() == 1


def test_a_wish_is_answered_once_and_alone():
    made, other = booking(), booking(flat="9")
    asked, others = (
        each.change_requests.create(kind="cancel", wish="Заболел") for each in (made, other)
    )

    assert services.visits.answer(asked, answer="Отменили", by="olga", cancels=True) is True
    assert services.visits.answer(asked, answer="Ждём", by="anna") is False

    asked.refresh_from_db()
    assert (asked.answer, asked.answered_by, asked.is_open) == ("Отменили", "olga", False)
    others.refresh_from_db()
    assert (others.answer, others.is_open) == ("", True)
    made.refresh_from_db()
    assert made.called_off_at is not None
    (event,) = BookingEvent.objects.all()
    facts = {"answer": "Отменили", "by": "olga", "called_off": True}
    assert (event.kind, event.facts) == ("change_answered", facts)


def test_an_answer_alone_changes_no_visit():
    made = booking()
    asked = made.change_requests.create(kind="cancel")

    assert services.visits.answer(asked, answer="Ждём", by="olga")
    made.refresh_from_db()
    assert (made.state, Booking.objects.count()) == ("expected", 1)


def test_an_anonymised_booking_is_not_found():
    made = booking(anonymised_at=timezone.now())

    assert services.booking.find(made.key) is None
    assert services.booking.find(uuid.uuid4()) is None


def test_only_what_is_overdue_is_settled(standin):
    overdue = booking(outcome="sending", deadline_at=timezone.now() - timedelta(seconds=1))
    booking(outcome="sending", flat="9", deadline_at=timezone.now() + timedelta(minutes=1))
    booking(flat="7", deadline_at=timezone.now() - timedelta(days=1))

    assert services.settling.settle_overdue() == [overdue]
    assert services.settling.settle_overdue() == []
