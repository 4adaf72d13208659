"""Back to a booking's page by its number and its phone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking import retention
from booking.models import Booking
from tests.bookings import booking
from tests.finding import NUMBER, PHONE, find
from tests.journey import FLAT, HOUSE, fill_in, first_free, heading, links, send, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def made() -> Booking:
    return booking(reference=NUMBER, phone=PHONE)


@pytest.mark.parametrize(
    ("number", "phone"),
    [
        ("А1234ВС", "+79001234567"),
        ("A1234BC", "8 900 123-45-67"),
        ("№ а 1234 вс", "8(900)1234567 Анна"),
        (" a-1234-bc ", "9001234567"),
    ],
)
def test_the_number_and_the_phone_lead_to_the_page(made, number, phone):
    assert find(number, phone).url == made.get_absolute_url()


@pytest.mark.parametrize("outcome", ["confirmed", "refused", "not_sent", "in_doubt", "sending"])
def test_a_booking_is_found_whatever_came_of_it(outcome):
    made = booking(reference=NUMBER, outcome=outcome)

    assert find().url == made.get_absolute_url()


@pytest.mark.parametrize(
    ("number", "phone"),
    [
        pytest.param(NUMBER, "+79001234568", id="the phone is another"),
        pytest.param("А1234ВТ", PHONE, id="the number is another"),
        pytest.param("А1234ВТ", "+79001234568", id="both are others"),
        pytest.param("Т0001ХХ", PHONE, id="the number is of another phone"),
        pytest.param("М0002ММ", "+79005556677", id="the booking is anonymised"),
    ],
)
def test_there_is_one_answer_to_whatever_does_not_fit(made, number, phone):
    booking(reference="Т0001ХХ", phone="+79007654321", flat="1.8-12-2")
    old = booking(reference="М0002ММ", phone="+79005556677", flat="1.8-12-3")
    retention.anonymise_booking(old)
    unknown = find("Х9999ХХ", "+79009999999")

    page = find(number, phone)

    assert page.status_code == unknown.status_code == 422
    assert without_what_was_typed(page) == without_what_was_typed(unknown)
    assert "Записи с таким номером и телефоном нет" in text_of(page)


def test_what_does_not_fit_is_found_out_by_the_same_queries(made):
    def queries(number: str, phone: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            find(number, phone)
        return [re.sub(r"'[^']*'|s?\d[\d_x]*", "?", query["sql"]) for query in captured]

    unknown = queries("Х9999ХХ", "+79009999999")

    assert len(unknown) > 4
    assert queries(NUMBER, "+79001234568") == unknown
    assert queries("А1234ВТ", PHONE) == unknown


def without_what_was_typed(page: Any) -> list[str]:
    lines = text_of(page).splitlines()
    return [line for line in lines if 'name="' not in line]


def test_what_was_typed_is_kept():  # the phone as we have read it
    page = text_of(find("а-0001-хх", "8 900 555-66-77"))

    assert 'value="а-0001-хх"' in page
    assert 'value="8 (900) 555-66-77"' in page


@pytest.mark.parametrize(
    ("number", "phone", "complaints"),
    [
        ("", PHONE, ["Укажите номер записи, например А1234ВС"]),
        ("12", PHONE, ["буква, четыре цифры, две буквы"]),
        (NUMBER, "", ["Укажите номер телефона, например"]),
        (NUMBER, "12", ["Укажите номер телефона, например"]),
        ("А" * 20_000, "", ["буква, четыре цифры, две буквы", "Укажите номер телефона"]),
    ],
)
def test_what_can_not_be_read_is_told_by_its_field(made, number, phone, complaints):
    page = find(number, phone)

    assert page.status_code == 200
    assert "<title>Ошибка: " in text_of(page)
    for complaint in complaints:
        assert complaint in text_of(page)


def test_the_page_offers_other_ways(client):
    page = client.get("/find/?utm_source=sms")

    assert heading(page) == "Найти запись"
    assert "+7 343 000-00-00" in text_of(page)
    assert "/?utm_source=sms" in links(text_of(page))


# The ways to it


@pytest.mark.parametrize("path", ["/?", "/?house=3105011&", "/nowhere/?", "/accessibility/?"])
def test_the_foot_of_a_page_leads_to_it_and_keeps_where_one_came_from(client, standin, path):
    page = client.get(f"{path}utm_source=letter")

    assert "/find/?utm_source=letter" in links(foot(page))


@pytest.mark.parametrize(
    ("path", "times"),
    [
        pytest.param("/?", 2, id="beside the first step, and for a house that is not listed"),
        pytest.param("/?house=3105011&", 1, id="for a flat that is not listed"),
        pytest.param("/nowhere/?", 1, id="for an address that was copied without its end"),
    ],
)
def test_a_page_offers_it_where_one_may_be_stuck(client, standin, path, times):
    page = client.get(f"{path}utm_source=letter")

    assert links(content(page)).count("/find/?utm_source=letter") == times


def test_it_is_offered_when_every_time_is_taken(client, standin):
    standin.switch(busy=1)
    flat = {"category": "flat", "house": HOUSE, "flat": FLAT}

    page = client.get("/time/", flat)

    assert "/find/" in links(content(page))


def test_it_is_offered_after_too_many_tries(client, standin, settings):
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    start = first_free(standin)
    send(client, fill_in(client, start))

    page = send(client, fill_in(client, start + timedelta(days=1), flat="1.8-12-2"))

    assert page.status_code == 429
    assert "/find/" in links(content(page))


def test_it_is_offered_while_the_crm_is_away(client, standin):
    standin.stop()

    page = client.get("/")

    assert page.status_code == 503
    assert "/find/" in links(content(page))


def content(page: Any) -> str:
    return text_of(page).partition("<main")[2].partition("</main>")[0]


def foot(page: Any) -> str:
    return text_of(page).partition("<footer")[2]
