"""A buyer who has lost the booking's page gets back to it."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.browser.buyer import Buyer
from tests.browser.chromium import with_and_without_scripts
from tests.journey import first_free

pytestmark = pytest.mark.browser

AS_LATIN = str.maketrans("АВЕКМНОРСТУХ", "abekmhopctyx")


@with_and_without_scripts
def test_from_the_front_door_to_the_page_that_was_lost(buyer, standin):
    start = first_free(standin)
    number = book_and_lose_the_page(buyer, start)
    buyer.open()
    buyer.link("Уже записаны?").first.click()
    buyer.find(number.translate(AS_LATIN), "8 900 123-45-67")

    buyer.sees_confirmed(start)


@with_and_without_scripts
def test_a_wrong_digit_is_corrected(buyer, standin):
    start = first_free(standin)
    number = book_and_lose_the_page(buyer, start)
    buyer.open("/find/")
    buyer.find(number, "8 900 123-45-68")

    expect(buyer.message).to_be_focused()
    expect(buyer.message).to_contain_text("Записи с таким номером и телефоном нет")
    expect(buyer.phone).to_have_value("8 (900) 123-45-68")
    buyer.find(number, "8 900 123-45-67")
    buyer.sees_confirmed(start)


def book_and_lose_the_page(buyer: Buyer, start: datetime) -> str:
    """The number, as the buyer has it from a print or a picture of the page."""
    buyer.book(start)
    buyer.sees("Вы записаны")
    row = buyer.page.locator("dl > div", has_text="Номер записи")
    number = row.get_by_role("definition").inner_text()
    buyer.page.context.clear_cookies()
    return number
