"""Whatever is pressed, and how often: one call, one booking, and every tab ends on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from booking.models import Booking
from tests.browser.chromium import with_and_without_scripts
from tests.journey import first_free

pytestmark = pytest.mark.browser

# Long enough for a second press while the first is on its way.
SLOW_ADD = {"add": 0.5}


@with_and_without_scripts
def test_a_double_click_books_once(buyer, standin):
    start = first_free(standin)
    standin.switch(latency=SLOW_ADD)
    buyer.open_last_step(start)
    buyer.sign()
    buyer.book_button.dblclick()

    buyer.page.wait_for_url("**/bookings/*/")
    standin.wait_for("add")
    buyer.until_answered()
    buyer.sees_confirmed(start)
    assert standin.count("add") == 1
    assert Booking.objects.count() == 1


@with_and_without_scripts
def test_two_tabs_with_the_same_answers_book_once(buyer, another_tab, standin):
    start = first_free(standin)
    standin.switch(latency=SLOW_ADD)
    tabs = (buyer, another_tab())
    for tab in tabs:
        tab.open_last_step(start)
        tab.sign()
        tab.book_button.focus()
    for tab in tabs:
        tab.page.keyboard.press("Enter")  # waits for nothing, unlike a click

    for tab in tabs:
        tab.page.wait_for_url("**/bookings/*/")
        tab.until_answered()
        tab.sees_confirmed(start)
    assert tabs[0].page.url == tabs[1].page.url
    assert standin.count("add") == 1
    assert Booking.objects.count() == 1


@with_and_without_scripts
def test_going_back_leads_to_the_booking(buyer, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    receipt = buyer.page.url
    buyer.page.go_back()

    buyer.sees_confirmed(start)
    assert buyer.page.url == receipt
    assert standin.count("add") == 1
    assert Booking.objects.count() == 1


@with_and_without_scripts
def test_back_forward_and_reload_book_nothing(buyer, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    buyer.page.go_back()
    buyer.page.go_forward()
    buyer.sees_confirmed(start)
    buyer.page.reload()

    buyer.sees_confirmed(start)
    assert standin.count("add") == 1


def test_the_time_just_booked_is_offered_to_nobody_else(buyer, another_tab, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    rival = another_tab()
    # As in a browser of somebody else's.
    rival.page.context.clear_cookies()
    rival.open_last_step(start)

    rival.sees("Когда вам удобно приехать?")
    expect(rival.message).to_contain_text(f"{start:%H:%M}")
