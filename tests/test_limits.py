"""Guessing a phone is limited, by flat and by client address, and the limit says until when."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from booking import handover
from booking.models import Booking, House
from booking.standin.estate import REFUSED_PHONE
from tests.journey import answers, fill_in, heading, links, send, text_of

pytestmark = pytest.mark.django_db


def guess(standin, number: int, *, flat: str = "1.8-12-1", address: str = "198.51.100.1"):
    """A press of the button with a phone that is nobody's."""
    start = standin.free_starts("3105011")[number]
    phone = f"{REFUSED_PHONE[:-2]}{number:02}"
    return send(Client(REMOTE_ADDR=address), fill_in(Client(), start, phone=phone, flat=flat))


@pytest.fixture
def few_tries(settings):
    settings.LIMIT_REFUSED_PER_FLAT = 2
    settings.LIMIT_REFUSED_PER_ADDRESS = 3
    settings.LIMIT_BOOKINGS_PER_ADDRESS = 4


def test_guesses_for_a_flat_are_limited_whoever_makes_them(standin, few_tries):
    for number in range(2):
        assert guess(standin, number, address=f"198.51.100.{number}").status_code == 302

    page = guess(standin, 2, address="198.51.100.9")

    assert page.status_code == 429
    assert heading(page) == "Слишком много попыток"
    assert standin.count("add") == 2


def test_a_limit_ends_by_the_clock_of_the_house(standin, few_tries):
    House.objects.create(house_id="3105011", time_zone="Asia/Vladivostok")
    for number in range(2):
        guess(standin, number)

    page = guess(standin, 2)

    first = Booking.objects.earliest("created_at").created_at
    until = first + timedelta(minutes=settings.LIMIT_WINDOW_MINUTES + 1)
    assert f"после {until.astimezone(ZoneInfo('Asia/Vladivostok')):%H:%M}" in text_of(page)


def test_a_limit_leads_back_to_the_answers(standin, few_tries, settings):
    settings.LIMIT_REFUSED_PER_FLAT = 1
    guess(standin, 0)
    start = standin.free_starts("3105011")[1]
    last_step = "/confirm/?" + urlencode(answers(start))

    page = Client().post(last_step, fill_in(Client(), start))

    assert page.status_code == 429
    assert last_step in links(text_of(page))


def test_guesses_at_once_are_limited_as_well(standin, few_tries, transactional_db):
    start = standin.free_starts("3105011")[0]
    form = fill_in(Client(), start)

    def guess_at_once(number):
        phone, address = f"{REFUSED_PHONE[:-2]}{number:02}", f"198.51.100.{number}"
        key = {"key": str(uuid.uuid4())}
        try:
            return send(Client(REMOTE_ADDR=address), form | key | {"phone": phone}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess_at_once, range(20)))

    assert sorted(answers) == [302] * 2 + [429] * 18
    assert standin.count("add") == 2


@pytest.mark.parametrize("resolved", [False, True])
def test_guesses_that_the_crm_leaves_open_are_limited_as_well(standin, few_tries, resolved):
    vague = '{"status_code":200,"message":"Ошибка обработки запроса"}'
    standin.fail("add", "status", status=200, body=vague)
    for number in range(2):
        assert guess(standin, number, address=f"198.51.100.{number}").status_code == 302
    for booking in Booking.objects.all():
        assert not resolved or handover.resolve(booking, was_booked=False, by="anna", note="")

    assert guess(standin, 2, address="198.51.100.9").status_code == 429


def test_doubts_do_not_shut_out_an_address(standin, few_tries):
    standin.fail("add", "drop_before_reply")
    for number in range(3):
        assert guess(standin, number, flat=f"1.8-1{number}-1").status_code == 302

    assert guess(standin, 3, flat="1.8-14-1").status_code == 302


def test_guesses_of_an_address_are_limited_whatever_the_flat(standin, few_tries):
    for number in range(3):
        assert guess(standin, number, flat=f"1.8-1{number}-1").status_code == 302

    assert guess(standin, 3, flat="1.8-14-1").status_code == 429
    assert guess(standin, 4, flat="1.8-14-1", address="198.51.100.2").status_code == 302


def test_bookings_of_an_address_are_limited(standin, few_tries):
    for number in range(4):
        form = fill_in(Client(), standin.free_starts("3105011")[0], flat=f"1.8-1{number}-1")
        assert send(Client(), form).status_code == 302

    form = fill_in(Client(), standin.free_starts("3105011")[0], flat="1.8-14-1")
    assert send(Client(), form).status_code == 429
    assert standin.count("add") == 4


def test_the_page_says_when_to_come_back_and_whom_to_call(standin, few_tries):
    for number in range(2):
        guess(standin, number)
    Booking.objects.update(created_at=timezone.now() - timedelta(minutes=50))

    page = guess(standin, 2)

    assert 590 <= int(page.headers["Retry-After"]) <= 600
    until = timezone.localtime() + timedelta(minutes=11)
    assert f"{until:%H:}" in text_of(page)
    assert "+7 343 000-00-00" in text_of(page)


def test_old_tries_do_not_count(standin, few_tries):
    for number in range(2):
        guess(standin, number)
    Booking.objects.update(created_at=timezone.now() - timedelta(hours=2))

    assert guess(standin, 2).status_code == 302


def test_a_form_sent_again_is_no_new_try(standin, few_tries, client):
    form = fill_in(client, standin.free_starts("3105011")[0], phone=REFUSED_PHONE)

    assert [send(client, form).status_code for _ in range(5)] == [302] * 5
    assert standin.count("add") == 1


def test_guesses_do_not_find_what_is_booked_once_the_limit_is_reached(standin, few_tries):
    early, *_, late = standin.free_starts("3105011")
    form, guessed = fill_in(Client(), early), fill_in(Client(), late)
    assert send(Client(REMOTE_ADDR="198.51.100.1"), form).status_code == 302
    for number in range(1, 3):
        assert guess(standin, number, address="198.51.100.2").status_code == 302

    assert send(Client(REMOTE_ADDR="198.51.100.2"), guessed).status_code == 429


def test_what_is_booked_stays_in_reach(standin, few_tries, client):
    start = standin.free_starts("3105011")[5]
    form = fill_in(client, start)
    booked = send(client, form)
    for number in range(3):
        guess(standin, number)

    assert send(client, form).url == booked.url
    assert heading(client.get(booked.url)) == "Вы записаны"
