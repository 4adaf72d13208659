"""Staff see which limits hold and whom they keep out, and lift one for a buyer who calls."""

from __future__ import annotations

import pytest
from django.urls import reverse

from booking.models import LimitLift
from tests import bookings
from tests.journey import HOUSE, hidden_fields, text_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/booking/booking/limits/"


@pytest.fixture
def guesses():
    for number in range(5):
        bookings.booking(
            outcome="refused",
            reason="no_match",
            client_address="198.51.100.7",
            phone=f"+7900765430{number}",
        )


def test_a_limit_that_holds_is_told_in_words(operator, guesses):
    page = text_of(operator.get(PAGE))

    assert "198.51.100.7" in page
    assert f"1.8-12-1 в доме {HOUSE}" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "+79007654" not in page
    assert "Действующие ограничения: 1" in text_of(operator.get(reverse("admin:index")))


def test_lifted_it_is_gone_and_written_down(operator, guesses):
    form = hidden_fields(text_of(operator.get(PAGE)))

    page = text_of(operator.post(PAGE, form, follow=True))

    assert "Снято:" in page
    assert LimitLift.objects.get().by == "olga"
    assert "subject" not in hidden_fields(page)
    assert "Действующие ограничения" not in text_of(operator.get(reverse("admin:index")))
    assert "olga" in text_of(operator.get(reverse("admin:booking_limitlift_changelist")))


def test_one_that_holds_no_more_is_not_lifted(operator, guesses):
    page = operator.post(PAGE, {"subject": "phones_of_client 0"}, follow=True)

    assert "больше не действует" in text_of(page)
    assert not LimitLift.objects.exists()


def test_without_the_permission_it_is_refused(client, guesses, django_user_model):
    user = django_user_model.objects.create_user("anna", password="example-pass", is_staff=True)
    client.force_login(user)

    assert client.get(PAGE).status_code == 403


def test_a_booking_made_beside_a_doubt_is_shown_with_it(operator):
    doubt = bookings.booking(outcome="in_doubt")
    beside = bookings.booking(phone="+79001234568")
    resolve = reverse("admin:booking_booking_resolve", args=[doubt.pk])

    assert beside.reference in text_of(operator.get(reverse("admin:booking_needs_a_look")))
    assert beside.reference in text_of(operator.get(resolve))
