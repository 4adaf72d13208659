"""What staff tell of a house reaches its buyers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse

from booking import availability
from booking.models import Booking, House
from tests.bookings import booking, staff
from tests.journey import HOUSE, first_free, text_of

pytestmark = pytest.mark.django_db

HOUSES = "/admin/booking/house/"


def form(**values: str) -> dict[str, str]:
    return {"house_id": HOUSE, "address": "ул. Лесная, 1"} | values


def test_a_manager_tells_of_a_house_and_buyers_read_it(client, db):
    reply = staff("mark", "managers").post(
        f"{HOUSES}add/", form(directions="Вход со двора", bring="паспорт", phone="+7 343 1")
    )

    assert reply.status_code == 302
    page = text_of(client.get(booking().get_absolute_url()))
    for said in ("ул.\N{NO-BREAK SPACE}Лесная, 1", "Вход со двора", "паспорт", "+7 343 1"):
        assert said in page


def test_operators_only_read(db):
    operator = staff("olga", "operators")
    house = House.objects.create(house_id=HOUSE)

    assert operator.get(HOUSES).status_code == 200
    assert operator.post(f"{HOUSES}add/", form()).status_code == 403
    change = reverse("admin:booking_house_change", args=[house.pk])
    assert operator.post(change, form(address="x")).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("map_url", "javascript:1"), ("visit_slots", "0")],
)
def test_nonsense_is_not_taken(admin_client, field, value):
    assert admin_client.post(f"{HOUSES}add/", form(**{field: value})).status_code == 200
    assert not House.objects.exists()


def test_a_house_may_need_longer_visits_than_others(standin):
    def starts() -> list[datetime]:
        (house,) = (each for each in availability.ready_houses("flat").houses if each.id == HOUSE)
        return list(availability.day(house, first_free(standin).date()).starts)

    usual = starts()
    House.objects.create(house_id=HOUSE, visit_slots=2)

    half_an_hour = timedelta(minutes=30)
    assert starts() == [start for start in usual if start + half_an_hour in usual]
    assert starts() != usual


def test_the_list_names_houses_as_the_crm_does(admin_client):
    booking(house_title="Лесной квартал, дом 7", house_id="77")
    House.objects.create(house_id="77")

    cache.clear()

    assert "Лесной квартал, дом 7" in text_of(admin_client.get(HOUSES))


@pytest.mark.parametrize("said", ["3105011", "ЛЕСНАЯ", "квартал", " лесная "])
def test_a_house_is_found_by_id_address_or_title(admin_client, said):
    cache.clear()
    booking(house_title="Лесной квартал")
    House.objects.create(house_id=HOUSE, address="ул. Лесная, 1")
    House.objects.create(house_id="9", address="ул. Сосновая, 4")

    page = text_of(admin_client.get(HOUSES, {"q": said}))

    assert "ул. Лесная, 1" in page
    assert "Сосновая" not in page


def test_the_preview_tells_of_a_visit_what_the_buyers_page_does(client, db):
    house = House.objects.create(house_id=HOUSE, address="ул. Лесная, 1", time_zone="Asia/Omsk")
    made = booking(house_title="", time_zone="Asia/Omsk")
    theirs = text_of(client.get(made.get_absolute_url()))
    operator = staff("olga", "operators")

    preview = text_of(operator.get(reverse("admin:booking_house_preview", args=[house.pk])))

    for said in ("ул.\N{NO-BREAK SPACE}Лесная, 1", "паспорт", "Омск"):
        assert said in theirs
        assert said in preview
    assert set(re.findall(r"<dt>.*?</dt>", preview)) == set(re.findall(r"<dt>.*?</dt>", theirs))


def test_the_preview_says_what_it_is_and_stores_nothing(db):
    house = House.objects.create(house_id=HOUSE, directions="Вход со двора", bring="паспорт")
    address = reverse("admin:booking_house_preview", args=[house.pk])

    page = text_of(staff("olga", "operators").get(address))

    assert "такой записи нет" in page
    assert "Вход со двора" in page
    assert not Booking.objects.exists()
