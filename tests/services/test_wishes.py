"""What staff tell of a booking, and what becomes of a buyer's wish to move or cancel a visit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from booking import services
from booking.models import Booking, BookingEvent, ChangeRequest
from tests.bookings import ago, booking, is_now

pytestmark = pytest.mark.django_db


def test_a_wish_is_taken_once_and_noted():
    made, over = booking(), booking(flat="9", starts_at=timezone.now() - timedelta(hours=1))

    assert services.change_requests.ask(made, ChangeRequest.Kind.MOVE, "В субботу") is True
    assert services.change_requests.ask(made, ChangeRequest.Kind.CANCEL, "") is False
    assert services.change_requests.ask(over, ChangeRequest.Kind.CANCEL, "") is False

    (request,) = ChangeRequest.objects.all()
    assert (request.booking, request.kind, request.wish) == (made, "move", "В субботу")
    (event,) = BookingEvent.objects.all()
    assert (event.kind, event.facts) == ("change_asked", {"wish": "move", "words": "В субботу"})


def test_a_wish_for_a_visit_that_was_called_off_meanwhile_is_not_taken():
    made = booking()
    as_the_buyer_saw_it = Booking.objects.get(pk=made.pk)
    services.visits.cancel_visit(made)

    assert services.change_requests.ask(as_the_buyer_saw_it, ChangeRequest.Kind.MOVE, "") is False
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


def test_a_visit_is_called_off_once():
    made, other = booking(), booking(flat="9")
    services.visits.cancel_visit(made)
    assert is_now(made.called_off_at)
    assert (made.is_live, made.is_booked, made.is_to_come) == (False, False, False)
    before = ago(hours=1)
    Booking.objects.filter(pk=made.pk).update(called_off_at=before)

    services.visits.cancel_visit(made)

    assert made.called_off_at == before
    other.refresh_from_db()
    assert other.called_off_at is None


def test_a_visit_that_was_moved_is_not_called_off():
    made = booking(moved_at=ago(hours=1))
    services.visits.cancel_visit(made)

    assert made.called_off_at is None
