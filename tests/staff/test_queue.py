"""What needs a look, and what becomes of it; who may do what; who saw whole phones."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking import retention, services
from booking.admin import queue
from tests.bookings import asked_to_cancel, booking, page_of, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
QUEUE = f"{LOG}needs-a-look/"
SHEET = f"{LOG}day-sheet/"


class TestTheQueue:
    def test_shows_all_that_waits_for_a_person(self, operator):
        doubtful = booking(outcome="in_doubt", reason="no_answer", flat="1")
        request = asked_to_cancel(booking(flat="2"))
        refused = [
            booking(outcome="refused", reason="no_match", flat="3", phone=f"+7900123456{digit}")
            for digit in range(3)
        ]

        page = text_of(operator.get(QUEUE))

        assert reverse("admin:booking_booking_resolve", args=[doubtful.pk]) in page
        assert reverse("admin:booking_changerequest_answer", args=[request.pk]) in page
        assert refused[-1].reference in page
        assert "9001234567" not in page
        assert queue.counts() == queue.Counts(
            in_doubt=1, twice=0, requests=1, visit_requests=0, repeated=1
        )

    def test_the_front_page_counts_it(self, operator):
        booking(outcome="in_doubt")

        page = text_of(operator.get("/admin/"))

        assert QUEUE in page
        assert "под вопросом: 1, просьб: 0" in page

    def test_shows_both_visits_of_a_flat_whose_doubt_was_a_visit_after_all(self, operator):
        doubtful = booking(outcome="in_doubt", reason="no_answer")
        beside = booking(phone="+79007654321", starts_at=tomorrow_at(9))
        booking(flat="2")
        assert queue.counts().twice == 0

        url = reverse("admin:booking_booking_resolve", args=[doubtful.pk])
        operator.post(url, {"was_booked": "yes", "note": "Есть в CRM"})

        page = text_of(operator.get(QUEUE))
        shown = page.partition('id="twice"')[2].partition("</table>")[0]
        assert re.findall(r"<a href=\"(.+?)\"", shown) == [page_of(beside), page_of(doubtful)]
        for made, phone in ((beside, "43-21"), (doubtful, "45-67")):
            assert made.reference in shown
            assert f"-{phone}" in shown
        assert "9007654321" not in page
        assert queue.counts().total == queue.counts().twice == 1
        assert "квартир с двумя визитами: 1" in text_of(operator.get("/admin/"))

    @pytest.mark.parametrize(
        "other",
        [
            {"outcome": "in_doubt"},
            {"called_off_at": timezone.now()},
            {"moved_at": timezone.now()},
            {"anonymised_at": timezone.now()},
            {"starts_at": timezone.now() - timedelta(hours=1)},
            {"category": "garage"},
            {"house_id": "2"},
            {"flat": "2"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_only_visits_ahead_of_one_flat_are_two(self, other):
        booking()
        booking(**other, phone="+79007654321")

        assert queue.counts().twice == 0

    @pytest.mark.parametrize("page", [QUEUE, "/admin/", SHEET])
    def test_what_is_past_its_deadline_is_in_doubt_when_looked_at(self, operator, page):
        made = booking(outcome="sending", deadline_at=timezone.now() - timedelta(minutes=5))

        html = text_of(operator.get(page))

        assert "под вопросом: 1" in html or made.reference in html
        made.refresh_from_db()
        assert made.outcome == "in_doubt"

    def test_the_nearest_visit_comes_first(self, operator):
        later = booking(outcome="in_doubt", flat="1", starts_at=tomorrow_at(15))
        sooner = booking(outcome="in_doubt", flat="2", starts_at=tomorrow_at(9))

        assert list(queue.in_doubt()) == [sooner, later]

    def test_a_visit_that_is_over_comes_last(self):
        over = timezone.now() - timedelta(hours=1)
        past = booking(outcome="in_doubt", flat="1", starts_at=over)
        to_come = booking(outcome="in_doubt", flat="2")
        requests = [asked_to_cancel(past), asked_to_cancel(to_come)]

        assert list(queue.in_doubt()) == [to_come, past]
        assert list(queue.open_requests()) == requests[::-1]

    def test_what_has_been_anonymised_waits_for_nobody(self, operator):
        made = booking(outcome="in_doubt", starts_at=timezone.now() - timedelta(days=1))
        request = asked_to_cancel(made)
        retention.anonymise_booking(made)

        assert queue.counts() == queue.Counts(
            in_doubt=0, twice=0, requests=0, visit_requests=0, repeated=0
        )
        answer = reverse("admin:booking_changerequest_answer", args=[request.pk])
        operator.post(answer, {"answer": "Иван", "becomes": "stands"})
        resolve = reverse("admin:booking_booking_resolve", args=[made.pk])
        operator.post(resolve, {"was_booked": "no", "note": "Иван"})
        assert made.events.latest("pk").kind == "anonymised"
        assert made.change_requests.get().answer == ""

    def test_refusals_of_one_phone_count_too(self):
        for number in range(3):
            booking(outcome="refused", flat=str(number))

        assert [each.count for each in queue.repeated_refusals()] == [3]

    def test_one_buyer_who_is_refused_is_one_trouble(self):
        for flat in ("1", "1", "1", "2"):
            booking(outcome="refused", flat=flat)
        booking(outcome="refused", flat="1", phone="+79001234568")

        assert [(each.of, each.count) for each in queue.repeated_refusals()] == [("телефон", 4)]

    @pytest.mark.parametrize("outcome", ["confirmed", "refused"])
    def test_who_has_booked_after_all_needs_nobody(self, outcome):
        for _ in range(3):
            booking(outcome="refused")
        booking(outcome=outcome)

        assert bool(list(queue.repeated_refusals())) == (outcome == "refused")

    def test_two_refusals_or_those_of_yesterday_are_no_matter(self):
        for _ in range(2):
            booking(outcome="refused")
        booking(outcome="refused", created_at=timezone.now() - timedelta(days=1, minutes=1))

        assert not list(queue.repeated_refusals())

    def test_empty_it_says_so(self, operator):
        assert text_of(operator.get(QUEUE)).count("Ничего нет.") == 5

    def test_it_is_not_for_staff_without_a_role(self, django_user_model):
        nobody = Client()
        nobody.force_login(django_user_model.objects.create_user("nobody", is_staff=True))

        assert nobody.get(QUEUE).status_code == 403
        assert QUEUE not in text_of(nobody.get("/admin/"))


class TestWhoComesSecond:
    """A page that was open while a colleague acted: nothing is changed, and no success told."""

    def test_does_not_resolve(self, operator):
        made = booking(outcome="in_doubt")
        services.settling.resolve(made, was_booked=True, by="anna", note="Есть в CRM")
        url = reverse("admin:booking_booking_resolve", args=[made.pk])

        page = operator.post(url, {"was_booked": "no", "note": "Нет"}, follow=True)

        assert page.redirect_chain == [(page_of(made), 302)]
        assert "уже не под вопросом" in text_of(page)
        assert "Итог записан" not in text_of(page)

    def test_not_even_in_the_same_moment(self, operator, monkeypatch):
        made, asked = booking(outcome="in_doubt", flat="1"), asked_to_cancel(booking(flat="2"))
        monkeypatch.setattr(services.settling, "resolve", lambda *args, **kwargs: False)
        monkeypatch.setattr(services.visits, "answer", lambda *args, **kwargs: False)
        url = reverse("admin:booking_booking_resolve", args=[made.pk])
        page = operator.post(url, {"was_booked": "no", "note": "Нет"}, follow=True)
        assert "уже не под вопросом" in text_of(page)

        url = reverse("admin:booking_changerequest_answer", args=[asked.pk])
        page = operator.post(url, {"answer": "Да", "becomes": "stands"}, follow=True)
        assert "На эту просьбу уже ответили" in text_of(page)
