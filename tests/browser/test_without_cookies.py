"""A browser that keeps no cookie books like any other: those inside messengers keep none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, expect

from booking.models import Booking
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests.browser.chromium import with_and_without_scripts
from tests.journey import answers, first_free

pytestmark = [pytest.mark.browser, with_and_without_scripts]

BLOCKED = {"profile": {"default_content_setting_values": {"cookies": 2}}}


@pytest.fixture
def new_context(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    browser_context_args: dict[str, Any],
    tmp_path: Path,
) -> Iterator[Callable[[], BrowserContext]]:
    """Of a Chromium whose owner has blocked all cookies, in place of pytest-playwright's."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps(BLOCKED))
    with browser_type.launch_persistent_context(
        tmp_path, **browser_type_launch_args, **browser_context_args
    ) as context:
        yield lambda: context


def test_a_booking_from_the_front_door_to_its_page(buyer, standin):
    start = first_free(standin)
    buyer.walk_to_last_step(start)
    buyer.sign()
    buyer.book_button.click()

    buyer.sees_confirmed(start)
    assert standin.count("add") == 1
    # The page has set one.
    assert buyer.page.context.cookies() == []


def test_a_wrong_phone_is_corrected(buyer, standin):
    start = first_free(standin)
    buyer.book(start, phone=REFUSED_PHONE)
    buyer.sees("Записаться не получилось")
    buyer.sign()
    buyer.book_button.click()

    buyer.sees_confirmed(start)


def test_an_incomplete_form_is_completed(buyer, standin):
    start = first_free(standin)
    buyer.open_last_step(start)
    buyer.phone.fill(ACCEPTED_PHONE)
    buyer.book_button.click()
    expect(buyer.message).to_contain_text("Отметьте согласие")
    buyer.consent.check()
    buyer.book_button.click()

    buyer.sees_confirmed(start)


def test_what_was_not_sent_is_sent_by_one_button(buyer, standin):
    start = first_free(standin)
    buyer.open_last_step(start)
    buyer.sign()
    standin.stop()
    buyer.book_button.click()
    buyer.sees("Запись не отправлена")
    standin.start()
    buyer.button("Попробовать ещё раз").click()

    buyer.sees_confirmed(start)


def test_going_back_books_nothing_more_and_goes_on(buyer, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    buyer.page.go_back()

    buyer.sees("Когда вам удобно приехать?")
    assert standin.count("add") == 1
    buyer.page.go_forward()
    buyer.sees_confirmed(start)


def test_a_visit_is_asked_to_be_cancelled(buyer, standin):
    buyer.book(first_free(standin))
    buyer.sees("Вы записаны")
    buyer.ask_to_cancel()

    buyer.reads("Мы ответим на этой странице")
    assert Booking.objects.get().change_requests.get().wish == "Приеду весной"


def test_a_booking_is_found_again(buyer, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    buyer.open("/find/")
    buyer.find(str(Booking.objects.get().reference), ACCEPTED_PHONE)

    buyer.sees_confirmed(start)
    assert buyer.page.context.cookies() == []


def test_a_form_of_another_site_is_shown_and_books_when_it_is_pressed_here(buyer, standin):
    start = first_free(standin)
    signed = {"phone": ACCEPTED_PHONE, "consent": "on"}
    buyer.press_on_another_site("/confirm/", **answers(start), **signed)

    buyer.sees("Проверьте и подтвердите запись")
    expect(buyer.message).to_contain_text("Форма пришла с другого сайта.")
    expect(buyer.phone).to_have_value("8 (900) 123-45-67")
    assert not Booking.objects.exists()
    buyer.book_button.click()
    buyer.sees_confirmed(start)
