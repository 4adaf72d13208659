"""A flat, a parking space and a storage room of one house, with nothing typed twice."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from booking.models import Booking
from standin.fixtures import ACCEPTED_PHONE, Flat
from tests.browser.chromium import with_and_without_scripts
from tests.journey import FLAT, HOUSE

pytestmark = [pytest.mark.browser, with_and_without_scripts]


@pytest.fixture
def house(standin):
    flats = (Flat("flat", FLAT), Flat("garage", "М-1/5"), Flat("storageroom", "К-7"))
    standin.build([replace(standin.houses[HOUSE], flats=flats)])


class Taps:
    """Counts the taps of a buyer, each on what is seen."""

    def __init__(self) -> None:
        self.count = 0

    def on(self, control) -> None:
        control.click()
        self.count += 1


def test_three_things_take_twelve_taps_and_eleven_digits(buyer, house):
    taps, page = Taps(), buyer.page
    buyer.open()
    taps.on(buyer.house())
    taps.on(buyer.button(FLAT))
    taps.on(page.locator("[name=start]").first)
    taps.on(buyer.phone)
    page.keyboard.type(f"8{ACCEPTED_PHONE[2:]}")
    taps.on(buyer.consent)
    taps.on(buyer.book_button)
    buyer.sees("Вы записаны")
    for category, number in (("Машино-место", "М-1/5"), ("Кладовая", "К-7")):
        taps.on(buyer.link(category))
        taps.on(buyer.button(number))
        expect(buyer.phone).to_have_value("8 (900) 123-45-67")
        taps.on(buyer.book_button)
        buyer.sees("Вы записаны")

    assert taps.count <= 12
    visits = Booking.objects.order_by("starts_at")
    assert [(each.category, each.state) for each in visits] == [
        ("flat", "expected"),
        ("garage", "expected"),
        ("storageroom", "expected"),
    ]
    assert len({each.starts_at for each in visits}) == 3
    expect(page.get_by_role("alert")).to_have_count(0)


def test_all_visits_of_the_browser_are_on_one_page(buyer, house):
    buyer.open()
    buyer.house().click()
    buyer.button(FLAT).click()
    buyer.page.locator("[name=start]").first.click()
    buyer.sign()
    buyer.book_button.click()
    buyer.sees("Вы записаны")

    buyer.link("Уже записаны?").click()
    buyer.link(re.compile(FLAT)).click()

    buyer.sees("Вы записаны")
