"""How often one may err in the search for a booking, and what a guesser gets."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from booking import finding, rate_limits
from booking.client_address import address_hash
from booking.models import Booking, FindAttempt, LimitLift
from tests.bookings import booking, staff
from tests.finding import NUMBER, PHONE, find
from tests.journey import browser, hidden_fields, links, text_of

pytestmark = pytest.mark.django_db

HELD = "/admin/booking/booking/limits/"


@pytest.fixture
def made() -> Booking:
    return booking(reference=NUMBER, phone=PHONE)


def guesses(count: int, *, phone: str = PHONE, of: str = "203.0.113.7") -> Any:
    """So many wrong numbers for a phone, each another; the last answer."""
    return [find(wrong(number), phone, at(of)) for number in range(count)][-1]


def wrong(number: int) -> str:
    return f"Х{number:04}ХХ"


def at(address: str) -> Client:
    return browser(REMOTE_ADDR=address)


@pytest.fixture
def few_tries(settings: Settings) -> None:
    settings.LIMIT_FIND_PER_CLIENT = 3
    settings.LIMIT_FIND_PER_PHONE = 5


def test_a_client_that_guesses_is_refused_even_what_is_right(made, few_tries):
    assert guesses(3).status_code == 422

    assert guesses(4).status_code == 429
    assert find(client=at("203.0.113.7")).status_code == 429
    assert find(client=at("203.0.113.8")).url == made.get_absolute_url()


def test_guesses_of_a_client_count_whatever_the_phone(made, few_tries):
    for number in range(3):
        assert find(NUMBER, f"+7900123000{number}").status_code == 422

    assert find(NUMBER, "+79001230009").status_code == 429


def test_the_same_wrong_pair_counts_once(made, few_tries):
    for _ in range(5):
        assert find(wrong(1)).status_code == 422

    assert FindAttempt.objects.count() == 1
    assert find().url == made.get_absolute_url()


def test_what_is_found_does_not_count(made, few_tries):
    assert [find().status_code for _ in range(5)] == [302] * 5


def test_a_phone_that_many_guess_at_is_tried_once_a_minute_by_each(made, few_tries):
    for number in range(5):
        find(wrong(number), client=at(f"203.0.113.{number}"))

    assert find(wrong(6), client=at("198.51.100.1")).status_code == 422
    refused = find(wrong(7), client=at("198.51.100.1"))
    assert refused.status_code == 429
    assert 50 <= int(refused.headers["Retry-After"]) <= 60
    assert "через 1\N{NO-BREAK SPACE}минуту" in text_of(refused)
    # Another phone is no part of it, and who owns this one is not shut out.
    assert find(NUMBER, "+79007654321", at("198.51.100.1")).status_code == 422
    assert find(client=at("198.51.100.2")).url == made.get_absolute_url()
    earlier(minutes=1)
    assert find(client=at("198.51.100.1")).url == made.get_absolute_url()


def test_the_same_wrong_number_from_many_clients_is_one_guess_at_a_phone(made, few_tries):
    for number in range(7):
        assert find(wrong(1), client=at(f"203.0.113.{number}")).status_code == 422

    assert find(wrong(2), client=at("203.0.113.1")).status_code == 422


def test_a_limit_ends_when_the_tries_are_old(made, few_tries):
    guesses(4)
    earlier(minutes=61)

    assert find(client=at("203.0.113.7")).url == made.get_absolute_url()


def test_clients_that_nobody_can_tell_apart_are_not_shut_out_together(made, few_tries):
    nobody = browser(REMOTE_ADDR="")
    for number in range(4):
        assert find(wrong(number), f"+7900123000{number}", nobody).status_code == 422

    assert find(client=nobody).url == made.get_absolute_url()


def test_who_is_refused_reads_when_to_come_back_and_what_else_to_do(made, few_tries):
    guesses(3)
    earlier(minutes=50)

    page = guesses(4)

    assert page.status_code == 429
    assert 590 <= int(page.headers["Retry-After"]) <= 600
    assert "через 10\N{NO-BREAK SPACE}минут" in text_of(page)
    assert "+7 343 000-00-00" in text_of(page)
    assert f'value="{wrong(3)}"' in text_of(page)
    assert "/" in links(text_of(page))


def test_who_is_refused_costs_two_reads(made, few_tries):
    guesses(3)

    with CaptureQueriesContext(connection) as queries:
        assert guesses(1).status_code == 429

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * 2


def test_guesses_at_once_are_limited_as_well(made, few_tries, transactional_db):
    def guess(number: int) -> int:
        try:
            return int(find(wrong(number), client=at("203.0.113.7")).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = sorted(pool.map(guess, range(20)))

    assert answers == [422] * 3 + [429] * 17


def test_a_limit_is_counted_and_told_without_the_address_or_the_phone(made, few_tries, caplog):
    before = REGISTRY.get_sample_value("handover_limits_total", {"limit": "find_client"}) or 0

    guesses(4)

    after = REGISTRY.get_sample_value("handover_limits_total", {"limit": "find_client"})
    assert after == before + 1
    (told,) = [record.getMessage() for record in caplog.records if "Limit" in record.message]
    assert told == f"Limit find_client reached by client {address_hash('203.0.113.7')}"
    assert PHONE[1:] not in caplog.text
    assert "203.0.113.7" not in caplog.text


def test_nothing_that_was_typed_can_be_read_from_a_failed_try(made):
    guesses(1)

    kept = json.dumps(FindAttempt.objects.values().get(), default=str)
    assert wrong(0) not in kept
    assert PHONE[-7:] not in kept


def test_failed_tries_are_deleted_after_a_day(made):
    guesses(2)
    earlier(hours=25)
    find(wrong(5))
    latest = FindAttempt.objects.latest("tried_at")

    call_command("anonymise_bookings", stdout=StringIO())

    assert FindAttempt.objects.get().pk == latest.pk


def test_staff_open_the_search_again_to_a_buyer_who_has_called(made, few_tries):
    operator = staff("olga", "operators")
    guesses(4)
    guesses(2, of="203.0.113.8")
    page = text_of(operator.get(HELD))
    assert "203.0.113.7 слишком часто искал" in page
    assert "203.0.113.8" not in page

    told = text_of(operator.post(HELD, hidden_fields(page), follow=True))

    assert "Снято:" in told
    assert LimitLift.objects.get().by == "olga"
    assert find(client=at("203.0.113.7")).url == made.get_absolute_url()


def test_opened_again_the_search_closes_after_as_many_tries(made, few_tries):
    guesses(3)
    rate_limits.lift(finding.holding()[0], by="olga")

    assert guesses(3, phone="+79007654321").status_code == 422
    assert find(client=at("203.0.113.7")).status_code == 429


def earlier(**by: int) -> None:
    """The tries so far, as if they had been made so much earlier."""
    FindAttempt.objects.update(tried_at=F("tried_at") - timedelta(**by))
