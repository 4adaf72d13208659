"""Guessing is limited by what it guesses, and what it costs the owner of a flat."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from booking import rate_limits
from booking.models import Booking, House, LimitLift
from booking.rate_limits import Limit
from standin.fixtures import ACCEPTED_PHONE
from tests import bookings
from tests.journey import FLAT, HOUSE, answers, fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db

CLIENT = "198.51.100.1"
FLATS = [f"1.8-{floor}-{number}" for floor in range(2, 17) for number in range(1, 5)]


def wrong_phone(number: int) -> str:
    return f"+7900765{number:04}"


def guessed(count: int = 1, *, flats: int = 1, **values) -> list[Booking]:
    """Refused tries: that many phones for each of so many flats, all from one client by default."""
    usual = {"outcome": "refused", "reason": "no_match", "client_address": CLIENT}
    return [
        bookings.booking(**usual | {"phone": wrong_phone(number), "flat": flat} | values)
        for number in range(count)
        for flat in FLATS[:flats]
    ]


def press(standin, *, client: str = CLIENT, phone: str = ACCEPTED_PHONE, flat: str = FLATS[0]):
    start = first_free(standin)
    form = fill_in(Client(), start, phone=phone, flat=flat)
    return send(Client(REMOTE_ADDR=client), form)


def told(page) -> str:
    return text_of(page).partition('role="alert"')[2].partition("</div>")[0]


# Hard: the client waits


def test_the_sixth_wrong_phone_for_a_flat_is_not_tried(standin):
    for number in range(5):
        assert press(standin, phone=wrong_phone(number)).status_code == 302

    page = press(standin, phone=wrong_phone(5))

    assert page.status_code == 429
    assert "слишком часто вводили неверный телефон" in told(page)
    assert standin.count("add") == 5


def test_the_right_phone_comes_too_late_for_a_guesser_but_not_for_the_owner(standin):
    guessed(5)

    assert press(standin).status_code == 429
    assert press(standin, client="198.51.100.2").status_code == 302
    assert Booking.objects.latest("pk").outcome == "confirmed"


def test_a_guesser_may_still_try_another_flat(standin):
    guessed(5)

    assert press(standin, flat=FLATS[1]).status_code == 302


def test_one_wrong_phone_pressed_often_is_one_guess(standin):
    for minutes in range(8):
        guessed(created_at=timezone.now() - timedelta(minutes=2 + minutes))

    assert press(standin).status_code == 302


def test_the_same_wrong_pair_is_tried_once_a_minute(standin):
    guessed(created_at=timezone.now() - timedelta(seconds=20))

    page = press(standin, phone=wrong_phone(0))

    assert page.status_code == 429
    assert 30 <= int(page.headers["Retry-After"]) <= 40
    assert press(standin, phone=wrong_phone(1)).status_code == 302
    assert press(standin, phone=wrong_phone(0), client="198.51.100.2").status_code == 302


def test_a_press_refused_for_a_visit_is_of_the_budget_as_well(standin, settings):
    settings.MACROCRM_ADDS_PER_MINUTE = 2
    guessed(2, reason="has_visit", client_address="203.0.113.1")

    assert press(standin, flat=FLATS[5]).status_code == 429


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("refused", "declined"), ("refused", "has_visit"), ("refused", "resolved"), ("in_doubt", "")],
)
def test_whatever_a_wrong_phone_may_have_led_to_is_a_guess(standin, outcome, reason):
    # The visits are over, so that none keeps the flat from being booked.
    over = timezone.now() - timedelta(days=1)
    guessed(5, outcome=outcome, reason=reason, starts_at=over)

    assert press(standin).status_code == 429


@pytest.mark.parametrize("reason", ["slot_taken", "busy", "misconfigured"])
def test_other_refusals_are_no_guesses(standin, reason):
    guessed(5, reason=reason)

    assert press(standin).status_code == 302


def test_the_sixth_flat_for_a_phone_is_not_tried(standin):
    guessed(flats=5)

    page = press(standin, phone=wrong_phone(0), flat=FLATS[5])

    assert page.status_code == 429
    assert "на слишком многие квартиры" in told(page)


def test_old_guesses_are_forgotten(standin):
    guessed(5, created_at=timezone.now() - timedelta(minutes=61))

    assert press(standin).status_code == 302


def test_guesses_at_once_are_limited_as_well(standin, transactional_db):
    forms = [fill_in(Client(), first_free(standin), phone=wrong_phone(n)) for n in range(20)]

    def guess_at_once(form):
        try:
            return send(Client(REMOTE_ADDR=CLIENT), form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(guess_at_once, forms))

    assert statuses.count(302) <= 5
    assert standin.count("add") <= 5


# Soft: one try a minute


def test_a_client_of_many_wrong_pairs_has_one_try_a_minute(standin, settings):
    settings.LIMIT_PAIRS_OF_CLIENT = 6
    guessed(2, flats=3, created_at=timezone.now() - timedelta(seconds=61))

    assert press(standin, flat=FLATS[9]).status_code == 302
    page = press(standin, flat=FLATS[10])

    assert page.status_code == 429
    assert 50 <= int(page.headers["Retry-After"]) <= 60
    assert "Нажмите кнопку ещё раз через" in told(page)


def test_many_clients_that_guess_at_a_flat_leave_each_a_try_a_minute(standin, settings):
    settings.LIMIT_PHONES_OF_FLAT = 10
    for number in range(10):
        guessed(client_address=f"203.0.113.{number}", phone=wrong_phone(number))

    assert press(standin, client="203.0.113.1", phone=wrong_phone(99)).status_code == 429
    assert press(standin).status_code == 302
    assert Booking.objects.latest("pk").outcome == "confirmed"


def test_many_clients_cannot_find_the_flat_of_a_phone(standin):
    for number, flat in enumerate(FLATS[:5]):
        guessed(client_address=f"203.0.113.{number}", phone=wrong_phone(0), flat=flat)

    phone = wrong_phone(0)
    assert press(standin, client="203.0.113.9", phone=phone, flat=FLATS[6]).status_code == 429
    Booking.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert press(standin, client="203.0.113.9", phone=phone, flat=FLATS[6]).status_code == 302
    assert press(standin, client="203.0.113.8", phone=phone, flat=FLATS[7]).status_code == 429


def test_a_client_presses_so_often_in_a_minute(standin, settings):
    settings.LIMIT_PRESSES_OF_CLIENT = 4
    guessed(flats=4, reason="slot_taken", created_at=timezone.now() - timedelta(seconds=20))

    page = press(standin, flat=FLATS[9])

    assert page.status_code == 429
    assert 30 <= int(page.headers["Retry-After"]) <= 40
    assert press(standin, client="198.51.100.2", flat=FLATS[9]).status_code == 302


def test_a_browser_that_has_booked_the_flat_passes_the_soft_limits(standin, settings):
    standin.switch(second_add="moves")
    browser = Client(REMOTE_ADDR=CLIENT)
    send(browser, fill_in(browser, first_free(standin)))
    Booking.objects.update(called_off_at=timezone.now())
    settings.LIMIT_PRESSES_OF_CLIENT = settings.LIMIT_PAIRS_OF_CLIENT = 1
    settings.LIMIT_PHONES_OF_FLAT = 1
    guessed(flat=FLAT)
    form = fill_in(browser, standin.free_starts(HOUSE)[1])

    assert send(Client(REMOTE_ADDR=CLIENT), form).status_code == 429
    assert send(browser, form).status_code == 302
    assert Booking.objects.latest("pk").outcome == "confirmed"


def test_a_phone_that_was_right_once_is_not_let_through(standin, settings):
    """Or a guesser who is refused would know it by that."""
    bookings.booking(flat=FLATS[0], starts_at=timezone.now() - timedelta(days=1))
    settings.LIMIT_PHONES_OF_FLAT = 1
    guessed()

    assert press(standin).status_code == press(standin, phone=wrong_phone(9)).status_code == 429


# What the CRM bears


def test_the_crm_gets_so_many_bookings_in_a_minute(standin, settings):
    settings.MACROCRM_ADDS_PER_MINUTE = 3
    for number in range(3):
        press(standin, client=f"198.51.100.{number}", flat=FLATS[number])

    page = press(standin, client="198.51.100.9", flat=FLATS[9])

    assert page.status_code == 429
    assert standin.count("add") == 3


def test_who_goes_on_pressing_leaves_half_of_a_minute_to_others(standin, settings):
    settings.MACROCRM_ADDS_PER_MINUTE = 6
    guessed(3, reason="has_visit", client_address="203.0.113.1")
    assert press(standin, flat=FLATS[5]).status_code == 302

    assert press(standin, flat=FLATS[6]).status_code == 429
    assert press(standin, client="198.51.100.2", flat=FLATS[6]).status_code == 302


def test_the_crm_gets_so_many_bookings_at_once(standin, settings):
    settings.MACROCRM_ADDS_AT_ONCE = 2
    for number in range(2):
        bookings.booking(outcome="sending", flat=FLATS[number])

    page = press(standin, flat=FLATS[9])

    assert (page.status_code, page.headers["Retry-After"]) == (429, "5")
    Booking.objects.update(deadline_at=timezone.now())
    assert press(standin, flat=FLATS[9]).status_code == 302


# What is told


def test_a_refused_press_keeps_what_was_typed_and_is_not_written_down(standin):
    guessed(5)
    count = Booking.objects.count()

    page = press(standin, phone="+79007650099")

    assert heading(page) == "Проверьте и подтвердите запись"
    assert "8 (900) 765-00-99" in text_of(page)
    assert "checked" in text_of(page)
    assert Booking.objects.count() == count
    assert standin.count("add") == 0


def test_a_limit_ends_by_the_clock_of_the_house(standin):
    House.objects.create(house_id=HOUSE, time_zone="Asia/Vladivostok")
    first, *_ = guessed(5)

    page = press(standin)

    until = first.created_at + timedelta(minutes=settings.LIMIT_WINDOW_MINUTES + 1)
    assert f"после {until.astimezone(ZoneInfo('Asia/Vladivostok')):%H:%M}" in told(page)
    assert 3500 < int(page.headers["Retry-After"]) <= 3600


def test_a_limit_is_counted_and_logged_without_the_address(standin, caplog):
    guessed(5)
    figure = ("handover_limits_total", {"limit": "phones_of_client"})
    before = REGISTRY.get_sample_value(*figure) or 0

    press(standin)

    assert REGISTRY.get_sample_value(*figure) == before + 1
    line = next(line for line in caplog.messages if "phones_of_client" in line)
    assert CLIENT not in caplog.text
    assert f"house {HOUSE}, client " in line


def test_what_is_booked_stays_in_reach(standin, client):
    form = fill_in(client, standin.free_starts(HOUSE)[5])
    booked = send(client, form)
    guessed(5, client_address="127.0.0.1", flat=FLAT)

    assert send(client, form).url == booked.url
    assert heading(client.get(booked.url)) == "Вы записаны"


def test_the_last_step_can_be_opened_while_a_limit_holds(standin):
    guessed(5)

    page = Client(REMOTE_ADDR=CLIENT).get("/confirm/?" + urlencode(answers(first_free(standin))))

    assert page.status_code == 200


# For staff


def test_staff_see_what_holds_and_lift_it(standin):
    guessed(5)
    guessed(flats=5, phone=wrong_phone(7), client_address="198.51.100.7")

    held = {each.limit: each for each in rate_limits.holding()}

    assert set(held) == {Limit.PHONES_OF_CLIENT, Limit.FLATS_OF_CLIENT, Limit.FLATS_OF_PHONE}
    assert held[Limit.PHONES_OF_CLIENT].newest.client == CLIENT
    assert press(standin).status_code == 429
    rate_limits.lift(held[Limit.PHONES_OF_CLIENT], by="olga")
    assert press(standin).status_code == 302
    assert Limit.PHONES_OF_CLIENT not in {each.limit for each in rate_limits.holding()}
    lift = LimitLift.objects.get()
    assert lift.by == "olga"
    assert CLIENT not in lift.subject


def test_a_limit_that_is_lifted_holds_again_after_as_many_guesses(standin):
    guessed(5)
    rate_limits.lift(rate_limits.holding()[0], by="olga")
    guessed(5, phone=wrong_phone(50))
    for number in range(51, 55):
        guessed(phone=wrong_phone(number))

    assert press(standin).status_code == 429


def test_a_client_without_an_address_is_not_limited_as_one(standin):
    guessed(30, client_address=None)

    assert rate_limits.holding() == []
    assert press(standin, client="", flat=FLATS[0]).status_code == 302
