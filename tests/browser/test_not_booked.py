"""Ends that are not a booking: each has an honest page of its own, and the way on from it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from booking import services
from booking.models import Booking
from standin.fixtures import REFUSED_PHONE
from tests.browser.chromium import with_and_without_scripts
from tests.journey import HOUSE, first_free

pytestmark = [pytest.mark.browser, with_and_without_scripts]


def test_a_wrong_phone_is_corrected(buyer, standin):
    start = first_free(standin)
    buyer.book(start, phone=REFUSED_PHONE)

    buyer.sees("Записаться не получилось")
    expect(buyer.page.get_by_text("это не тот телефон, что указан в договоре")).to_be_visible()
    assert journal() == [("refused", "no_match")]
    buyer.sign()
    buyer.book_button.click()
    buyer.sees_confirmed(start)
    assert journal() == [("refused", "no_match"), ("confirmed", "")]


def test_after_a_time_taken_in_between_a_near_one_is_a_tap_away(buyer, standin):
    lost, near = standin.free_starts(HOUSE)[:2]
    buyer.open_last_step(lost)
    buyer.sign()
    standin.hand_to_a_rival(HOUSE, lost)
    buyer.book_button.click()

    buyer.sees("Когда вам удобно приехать?")
    expect(buyer.message).to_contain_text(f"{lost:%H:%M} уже записался кто-то другой")
    assert journal() == [("refused", "slot_taken")]
    buyer.message.get_by_role("button", name=f"{near:%H:%M}").click()
    expect(buyer.phone).to_have_value("8 (900) 123-45-67")
    buyer.consent.check()
    buyer.book_button.click()
    buyer.sees_confirmed(near)
    assert journal() == [("refused", "slot_taken"), ("confirmed", "")]


def test_with_the_crm_down_nothing_is_sent_and_one_button_tries_again(buyer, standin):
    start = first_free(standin)
    buyer.open_last_step(start)
    buyer.sign()
    standin.stop()
    buyer.book_button.click()

    buyer.sees("Запись не отправлена")
    assert journal() == [("not_sent", "unreachable")]
    assert standin.count("add") == 0
    standin.start()
    buyer.button("Попробовать ещё раз").click()
    buyer.sees_confirmed(start)
    assert journal() == [("not_sent", "unreachable"), ("confirmed", "")]


def test_with_the_crm_silent_after_sending_the_page_claims_nothing(buyer, standin):
    start = first_free(standin)
    standin.fail("add", "drop_after_write")
    buyer.book(start)

    buyer.sees("Проверяем вашу запись")
    expect(buyer.page.get_by_text("не записывайтесь повторно")).to_be_visible()
    # Nothing to press but for the link of the page.
    other = re.compile("^(?!Скопировать ссылку|Отправить)")
    expect(buyer.page.get_by_role("button", name=other)).to_have_count(0)
    assert journal() == [("in_doubt", "no_answer")]
    buyer.page.reload()
    buyer.sees("Проверяем вашу запись")
    assert standin.count("add") == 1


def test_a_crm_that_is_away_from_the_start_keeps_the_answers(buyer, standin):
    start = first_free(standin)
    standin.stop()
    buyer.open_last_step(start)

    buyer.sees("Запись временно недоступна")
    standin.start()
    expect(buyer.link("Попробовать ещё раз")).to_be_visible()
    assert journal() == []


def test_what_staff_find_out_is_a_press_away(buyer, standin):
    standin.fail("add", "drop_after_write")
    buyer.book(first_free(standin))
    buyer.sees("Проверяем вашу запись")
    services.settling.resolve(Booking.objects.get(), was_booked=True, by="staff", note="")
    buyer.link("Проверить, есть ли ответ").click()

    buyer.sees("Вы записаны")


def journal() -> list[tuple[str, str]]:
    return list(Booking.objects.order_by("created_at").values_list("outcome", "reason"))
