"""The staff dashboard: everything is there to read, nothing to change but a booking in doubt."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from booking import services
from booking.models import Booking, Outcome
from tests.journey import fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"


@pytest.fixture
def booking(standin, client) -> Booking:
    send(client, fill_in(client, first_free(standin)))
    return Booking.objects.get()


@pytest.fixture
def in_doubt(standin, client) -> Booking:
    standin.fail("add", "drop_after_write")
    send(client, fill_in(client, first_free(standin)))
    return Booking.objects.get(outcome="in_doubt")


def page_of(booking: Booking) -> str:
    return reverse("admin:booking_booking_change", args=[booking.pk])


class TestTheLog:
    @pytest.mark.parametrize(
        "said",
        ["8 900 123-45-67", "+7 (900) 123 45 67", "9001234567", "1.8-12-1", "Лесной", "3105011"],
    )
    def test_a_booking_is_found_by_what_a_caller_says(self, admin_client, booking, said):
        assert booking.reference in text_of(admin_client.get(LOG, {"q": said}))

    def test_by_its_number_too(self, admin_client, booking):
        assert booking.reference in text_of(admin_client.get(LOG, {"q": booking.reference.lower()}))

    def test_another_phone_finds_nothing(self, admin_client, booking):
        assert booking.reference not in text_of(admin_client.get(LOG, {"q": "8 900 123-45-68"}))

    @pytest.mark.parametrize(
        ("days", "name"), [(0, "today"), (1, "tomorrow"), (3, "week"), (9, "later"), (-2, "past")]
    )
    def test_visits_are_filtered_by_day(self, admin_client, booking, days, name):
        noon = timezone.localtime().replace(hour=12) + timedelta(days=days)
        Booking.objects.update(starts_at=noon)

        assert booking.reference in text_of(admin_client.get(LOG, {"visit_day": name}))
        others = {"today": "tomorrow", "tomorrow": "past", "week": "later", "later": "week"}
        other = others.get(name, "today")
        assert booking.reference not in text_of(admin_client.get(LOG, {"visit_day": other}))

    def test_it_filters_by_state_house_and_category(self, admin_client, booking):
        query = {"state": "expected", "category": "flat", "house": booking.house_id}

        assert booking.reference in text_of(admin_client.get(LOG, query))
        assert booking.reference not in text_of(admin_client.get(LOG, query | {"state": "refused"}))

    def test_a_booking_shows_its_trail(self, admin_client, booking):
        html = text_of(admin_client.get(page_of(booking)))

        assert "отправляется" in html
        assert "подтверждена" in html
        assert "Спасибо! Мы записали Вас" in html

    def test_the_newest_comes_first(self, admin_client, booking, standin, client):
        send(client, fill_in(client, standin.free_starts("3105011")[3], flat="1.8-13-1"))
        newest = Booking.objects.get(flat="1.8-13-1")

        html = text_of(admin_client.get(LOG))
        assert newest != booking
        assert html.index(newest.reference) < html.index(booking.reference)


class TestNothingCanBeChanged:
    def test_not_even_by_a_superuser(self, admin_client, booking):
        assert admin_client.get(f"{LOG}add/").status_code == 403
        assert admin_client.post(page_of(booking), {"outcome": "refused"}).status_code == 403
        delete = reverse("admin:booking_booking_delete", args=[booking.pk])
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403
        assert "delete_selected" not in text_of(admin_client.get(LOG))
        assert Booking.objects.get().outcome == "confirmed"


class TestPhones:
    def test_are_masked_without_the_permission(self, operator, booking):
        for html in (text_of(operator.get(LOG)), text_of(operator.get(page_of(booking)))):
            assert "45-67" in html
            assert "123-45-67" not in html
            assert "9001234567" not in html

    def test_are_whole_with_it(self, admin_client, booking):
        assert "+79001234567" in text_of(admin_client.get(page_of(booking))).replace(" ", "")


class TestResolving:
    @pytest.mark.parametrize(
        ("choice", "outcome", "title"),
        [("yes", "confirmed", "Вы записаны"), ("no", "refused", "Записаться не получилось")],
    )
    def test_the_buyers_page_tells_what_staff_found(
        self, operator, client, in_doubt, choice, outcome, title
    ):
        resolve = reverse("admin:booking_booking_resolve", args=[in_doubt.pk])
        assert resolve in text_of(operator.get(page_of(in_doubt)))
        operator.post(resolve, {"was_booked": choice, "note": "Посмотрела в карточке"})

        in_doubt.refresh_from_db()
        assert in_doubt.outcome == outcome
        event = in_doubt.events.get(kind="resolved")
        assert event.facts == {"outcome": outcome, "by": "olga", "note": "Посмотрела в карточке"}
        page = client.get(in_doubt.get_absolute_url())
        assert heading(page) == title
        assert "Посмотрела" not in text_of(page)

    def test_a_note_is_needed(self, operator, in_doubt):
        resolve = reverse("admin:booking_booking_resolve", args=[in_doubt.pk])
        page = operator.post(resolve, {"was_booked": "yes", "note": ""})

        assert page.status_code == 200
        in_doubt.refresh_from_db()
        assert in_doubt.outcome == "in_doubt"

    def test_only_a_booking_in_doubt_can_be_resolved(self, operator, booking):
        resolve = reverse("admin:booking_booking_resolve", args=[booking.pk])

        operator.post(resolve, {"was_booked": "no", "note": "?"})

        booking.refresh_from_db()
        assert booking.outcome == "confirmed"
        assert resolve not in text_of(operator.get(page_of(booking)))

    def test_not_by_everybody(self, django_user_model, client, in_doubt):
        client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
        resolve = reverse("admin:booking_booking_resolve", args=[in_doubt.pk])

        assert client.post(resolve, {"was_booked": "no", "note": "?"}).status_code == 403

    def test_an_answer_that_comes_later_does_not_overrule_a_person(self, operator, in_doubt):
        resolve = reverse("admin:booking_booking_resolve", args=[in_doubt.pk])
        operator.post(resolve, {"was_booked": "no", "note": "Нет такой записи"})
        services.settling.settle(in_doubt, Outcome.CONFIRMED, "", {})

        assert in_doubt.outcome == "refused"
        late = in_doubt.events.last()
        assert (late.kind, late.facts["outcome"]) == ("late_answer", "confirmed")
