"""Requests for a visit: taken once, within a limit; who waits is told, first come first told."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from booking import availability, retention, services
from booking.models import Booking, VisitRequest
from booking.rate_limits import TooManyTries
from tests.journey import FLAT, HOUSE

pytestmark = pytest.mark.django_db

CLIENT = "198.51.100.7"


def new(**values) -> VisitRequest:
    usual = {
        "key": uuid.uuid4(),
        "cause": VisitRequest.Cause.FULL,
        "category": "flat",
        "house_id": HOUSE,
        "house_title": "Лесной квартал, дом 1",
        "flat": FLAT,
        "phone": "+79001234567",
        "waits": True,
        "client_address": CLIENT,
    }
    return VisitRequest(**usual | values)


def ask(**values) -> VisitRequest:
    return services.visit_requests.ask(new(**values))


def test_a_form_sent_twice_is_one_request():
    key = uuid.uuid4()

    assert ask(key=key) == ask(key=key)
    assert VisitRequest.objects.count() == 1


def test_a_client_asks_so_often_in_an_hour(settings):
    settings.LIMIT_REQUESTS_OF_CLIENT = 2
    ask()
    ask()

    with pytest.raises(TooManyTries) as refused:
        ask()
    assert 3590 <= refused.value.seconds <= 3600
    ask(client_address="198.51.100.8")
    VisitRequest.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    ask()


def test_it_is_answered_once():
    asked = ask()

    assert services.visit_requests.answer(asked, answer="Приезжайте", by="olga")
    assert not services.visit_requests.answer(asked, answer="Нет", by="ivan")
    assert (asked.answer, asked.answered_by) == ("Приезжайте", "olga")


class TestTheWaitingList:
    @pytest.fixture
    def full(self, standin):
        """A house without a free time; gives some back."""
        standin.switch(busy=1.0)

        def give_back() -> None:
            standin.switch(busy=0.0)
            for day in availability.horizon(availability.unlisted(HOUSE).zone):
                availability.forget(HOUSE, day)

        return give_back

    def test_nobody_is_told_while_nothing_is_free(self, full):
        ask()

        assert services.visit_requests.tell_of_free_times() == []

    def test_first_come_first_told_as_many_as_are_free(self, full, standin, settings):
        first, second = ask(), ask()
        full()
        days = availability.days_page(availability.unlisted(HOUSE)).days
        free = [start for day in days for start in day.starts]
        for start in free[1:]:
            standin.hand_to_a_rival(HOUSE, start)
        full()

        assert services.visit_requests.tell_of_free_times() == [first]

        first.refresh_from_db()
        second.refresh_from_db()
        assert first.free_start == free[0]
        assert second.told_at is None
        # Who was told may be about to book.
        assert services.visit_requests.tell_of_free_times() == []
        VisitRequest.objects.filter(pk=first.pk).update(told_at=timezone.now() - timedelta(hours=3))
        assert services.visit_requests.tell_of_free_times() == [second]
        assert Booking.objects.count() == 0

    def test_who_does_not_wait_or_is_answered_is_not_told(self, full):
        ask(waits=False)
        services.visit_requests.answer(ask(), answer="Приезжайте", by="olga")
        full()

        assert services.visit_requests.tell_of_free_times() == []

    def test_nobody_waits_for_ever(self, full):
        asked = ask()
        VisitRequest.objects.update(asked_at=timezone.now() - timedelta(days=61))
        full()

        assert services.visit_requests.tell_of_free_times() == []
        assert asked.is_open

    def test_the_chore_tells(self, full, capsys):
        ask()
        full()

        call_command("settle_bookings")

        assert "1 told of a free time" in capsys.readouterr().out

    def test_a_crm_that_is_away_stops_nothing(self, standin):
        ask()
        standin.stop()

        assert services.visit_requests.tell_of_free_times() == []


def test_old_ones_are_anonymised():
    old, fresh = ask(wish="Позвоните Ивану"), ask()
    VisitRequest.objects.filter(pk=old.pk).update(asked_at=timezone.now() - timedelta(days=400))

    assert retention.anonymise_requests(365) == 1

    old.refresh_from_db()
    fresh.refresh_from_db()
    assert (old.phone, old.wish, old.client_address) == ("", "", None)
    assert fresh.phone
    assert not old.is_open
