"""Staff answer requests and take refusals off the queue."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from booking.admin import queue
from booking.models import Booking
from tests.bookings import asked_to_cancel, booking, page_of, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
QUEUE = f"{LOG}needs-a-look/"
SHEET = f"{LOG}day-sheet/"


class TestAnswering:
    @pytest.mark.parametrize(("choice", "called_off"), [("called_off", True), ("stands", False)])
    def test_the_buyer_reads_the_answer(self, operator, client, choice, called_off):
        made = booking()
        request = asked_to_cancel(made)
        url = reverse("admin:booking_changerequest_answer", args=[request.pk])

        assert "Заболел" in text_of(operator.get(url))
        reply = operator.post(url, {"answer": "Хорошо, выздоравливайте", "becomes": choice})

        assert reply.url == QUEUE
        made.refresh_from_db()
        assert (made.called_off_at is not None) == called_off
        assert "выздоравливайте" in text_of(client.get(made.get_absolute_url()))
        assert made.events.get(kind="change_answered").facts["by"] == "olga"

    def test_is_a_link_from_the_list_of_requests(self, operator):
        request = asked_to_cancel(booking())
        answer = reverse("admin:booking_changerequest_answer", args=[request.pk])
        shown = reverse("admin:booking_changerequest_change", args=[request.pk])
        listed = reverse("admin:booking_changerequest_changelist")

        assert answer in text_of(operator.get(shown))
        assert shown in text_of(operator.get(listed, {"state": "open"}))
        operator.post(answer, {"answer": "Хорошо", "becomes": "called_off"})

        assert answer not in text_of(operator.get(shown))
        assert shown not in text_of(operator.get(listed, {"state": "open"}))
        assert shown in text_of(operator.get(listed, {"state": "answered"}))

    def test_then_comes_the_next_one(self, operator):
        first = asked_to_cancel(booking(flat="1", starts_at=tomorrow_at(9)))
        second = asked_to_cancel(booking(flat="2", starts_at=tomorrow_at(10)))
        url = reverse("admin:booking_changerequest_answer", args=[first.pk])

        reply = operator.post(url, {"answer": "Да", "becomes": "called_off"})

        assert reply.url == reverse("admin:booking_changerequest_answer", args=[second.pk])

    def test_both_questions_must_be_answered(self, operator):
        request = asked_to_cancel(booking())
        url = reverse("admin:booking_changerequest_answer", args=[request.pk])

        assert operator.post(url, {"answer": "Да"}).status_code == 200
        assert operator.post(url, {"becomes": "called_off"}).status_code == 200
        request.refresh_from_db()
        assert request.is_open

    def test_the_second_answer_is_not_taken(self, operator, manager):
        made = booking()
        url = reverse("admin:booking_changerequest_answer", args=[asked_to_cancel(made).pk])
        operator.post(url, {"answer": "Нет", "becomes": "stands"})
        manager.post(url, {"answer": "Да", "becomes": "called_off"})

        assert made.change_requests.get().answer == "Нет"
        made.refresh_from_db()
        assert made.is_booked

    def test_resolving_leads_to_the_next_booking_in_doubt(self, operator):
        first = booking(outcome="in_doubt", flat="1", starts_at=tomorrow_at(9))
        second = booking(outcome="in_doubt", flat="2", starts_at=tomorrow_at(10))
        urls = [
            reverse("admin:booking_booking_resolve", args=[each.pk]) for each in (first, second)
        ]

        reply = operator.post(urls[0], {"was_booked": "yes", "note": "Есть в CRM"})
        assert reply.url == urls[1]
        reply = operator.post(urls[1], {"was_booked": "no", "note": "Нет в CRM"})
        assert reply.url == QUEUE


class TestLookingInto:
    def url_of(self, made: Booking) -> str:
        return reverse("admin:booking_booking_dismiss", args=[made.pk])

    def test_refusals_leave_the_queue_until_the_next_one(self, operator):
        *_others, last = [booking(outcome="refused") for _ in range(3)]
        url = self.url_of(last)
        assert url in text_of(operator.get(QUEUE))
        assert last.reference in text_of(operator.get(url))

        reply = operator.post(url, {"note": "Позвонила, поправят договор"})

        assert reply.url == QUEUE
        assert queue.counts().repeated == 0
        facts = last.events.get(kind="looked_into").facts
        assert facts == {"by": "olga", "note": "Позвонила, поправят договор"}
        assert "поправят договор" in text_of(operator.get(page_of(last)))
        booking(outcome="refused")
        assert queue.counts().repeated == 1

    def test_a_note_is_needed(self, operator):
        made = booking(outcome="refused")

        assert operator.post(self.url_of(made), {"note": ""}).status_code == 200
        assert not made.events.exists()

    def test_is_for_refusals_and_for_those_who_may_resolve(self, operator, django_user_model):
        assert operator.get(self.url_of(booking())).status_code == 404
        nobody = Client()
        nobody.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
        assert nobody.get(self.url_of(booking(outcome="refused"))).status_code == 403
