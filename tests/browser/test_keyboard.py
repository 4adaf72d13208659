"""A booking without a mouse: Tab, Enter and Space, and the focus always in sight."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import states
from tests.browser.buyer import Buyer
from tests.journey import FLAT, HOUSE, first_free

pytestmark = pytest.mark.browser

# More stops than any page has before what is wanted.
STOPS = 120


# Of Tab, Enter and Space, from the front door to the receipt; letters and digits not counted.
MOST_PRESSES = 45


def test_a_booking_by_keyboard_alone(buyer, standin, monkeypatch):
    """On another day than the one that is open."""
    presses: list[str] = []
    monkeypatch.setattr("tests.browser.test_keyboard.on_press", presses.append)
    start = standin.free_starts(HOUSE, days_ahead=2)[0]
    buyer.open()
    tab_to(buyer, buyer.house())
    press(buyer, "Enter")
    tab_to(buyer, buyer.number)
    buyer.page.keyboard.type(FLAT)
    press(buyer, "Enter")
    tab_to(buyer, buyer.day(start))
    press(buyer, "Enter")
    tab_to(buyer, buyer.time(start))
    press(buyer, "Enter")
    tab_to(buyer, buyer.phone)
    buyer.page.keyboard.type("89001234567")
    tab_to(buyer, buyer.consent)
    press(buyer, "Space")
    tab_to(buyer, buyer.book_button)
    press(buyer, "Enter")

    buyer.sees_confirmed(start)
    assert standin.count("add") == 1
    assert len(presses) <= MOST_PRESSES


def test_a_visit_is_moved_by_keyboard_alone(buyer, standin, settings):
    settings.MACROCRM_ADD_MOVES = True
    standin.switch(second_add="moves")
    first, *_others, other = standin.free_starts(HOUSE)[:5]
    buyer.book(first)
    buyer.sees("Вы записаны")

    tab_to(buyer, buyer.link("Выбрать другое время"))
    press(buyer, "Enter")
    tab_to(buyer, buyer.time(other))
    press(buyer, "Enter")
    tab_to(buyer, buyer.button(re.compile("^Перенести на ")))
    press(buyer, "Enter")

    buyer.sees_confirmed(other)


def test_a_request_is_sent_by_keyboard_alone(buyer, standin, settings):
    states.request_form(buyer, standin, settings)

    tab_to(buyer, buyer.phone)
    buyer.page.keyboard.type("89001234567")
    tab_to(buyer, buyer.consent)
    press(buyer, "Space")
    tab_to(buyer, buyer.button("Отправить заявку"))
    press(buyer, "Enter")

    buyer.sees(re.compile("^Заявка принята "))


def test_the_skip_link_leads_past_the_header(buyer, standin):
    buyer.open()
    press(buyer, "Tab")
    expect(buyer.link("Перейти к содержанию")).to_be_focused()
    press(buyer, "Enter")
    press(buyer, "Tab")

    assert buyer.page.get_by_role("main").locator(":focus").count() == 1


def test_after_a_mistake_the_keyboard_starts_at_the_message(buyer, standin):
    buyer.open_last_step(first_free(standin))
    tab_to(buyer, buyer.book_button)
    press(buyer, "Enter")

    expect(buyer.message).to_be_focused()
    press(buyer, "Tab")
    expect(buyer.message.get_by_role("link").first).to_be_focused()
    press(buyer, "Enter")
    expect(buyer.phone).to_be_focused()


def on_press(key: str) -> None:
    """Called with each key, to be counted."""


def press(buyer: Buyer, key: str) -> None:
    on_press(key)
    buyer.page.keyboard.press(key)


def tab_to(buyer: Buyer, wanted: Locator) -> None:
    expect(wanted).to_be_visible()
    for _ in range(STOPS):
        if is_focused(wanted):
            return
        press(buyer, "Tab")
        assert focus_is_visible(buyer.page), buyer.page.locator(":focus").inner_text()
    pytest.fail(f"{wanted} is not among the first {STOPS} stops")


def is_focused(wanted: Locator) -> bool:
    return bool(wanted.evaluate("element => element === document.activeElement"))


def focus_is_visible(page: Page) -> bool:
    """Whether what has the focus has an outline and is on the screen."""
    return bool(
        page.evaluate(
            """() => {
              const element = document.activeElement;
              const box = element.getBoundingClientRect();
              const outline = getComputedStyle(element);
              return element !== document.body
                && outline.outlineStyle !== "none" && parseFloat(outline.outlineWidth) >= 2
                && box.bottom > 0 && box.top < innerHeight;
            }"""
        )
    )
