"""Days that could not be checked in time fall into place by themselves."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.buyer import Buyer
from tests.browser.chromium import with_and_without_scripts
from tests.browser.states import OF_FLAT
from tests.journey import HOUSE, first_free

pytestmark = pytest.mark.browser

# One after the other, fourteen take longer than a page waits, and less than that twice.
SLOW_READS = {"getFreeTimes": 0.3}
NOT_CHECKED = re.compile("показать$")
CHECKED = "Остальные дни проверены."


@pytest.fixture
def slow_days(standin, settings) -> None:
    settings.MACROCRM_CONCURRENCY = 1
    standin.switch(latency=SLOW_READS)


def opened_day(buyer: Buyer) -> str:
    return buyer.page.locator("button[aria-current]").inner_text()


def test_they_are_filled_in_and_announced(buyer, slow_days):
    buyer.open("/time/", **OF_FLAT)
    expect(buyer.button(NOT_CHECKED)).not_to_have_count(0)
    opened = opened_day(buyer)
    address = buyer.page.url

    expect(buyer.button(NOT_CHECKED)).to_have_count(0)
    expect(buyer.page.get_by_role("status")).to_have_text(CHECKED)
    expect(buyer.page.locator(".day")).to_have_count(14)
    assert opened_day(buyer) == opened
    assert buyer.page.url == address


def test_the_focus_stays_where_it_is(buyer, slow_days):
    buyer.open("/time/", **OF_FLAT)
    last = buyer.button(NOT_CHECKED).last
    day = last.get_attribute("value")
    last.focus()

    expect(buyer.button(NOT_CHECKED)).to_have_count(0)
    expect(buyer.page.locator(":focus")).to_have_attribute("value", day or "")


def test_what_is_filled_in_leads_on(buyer, standin, slow_days):
    start = standin.free_starts(HOUSE, days_ahead=13)[0]
    buyer.open("/time/", **OF_FLAT)
    expect(buyer.button(NOT_CHECKED)).to_have_count(0)
    buyer.day(start).click()
    buyer.time(start).click()

    buyer.sees("Проверьте и подтвердите запись")


@with_and_without_scripts
def test_a_press_asks_for_one_of_them(buyer, standin, slow_days):
    start = standin.free_starts(HOUSE, days_ahead=13)[0]
    buyer.open("/time/", **OF_FLAT)
    buyer.button(re.compile("показать$|свободн..$")).last.click()

    expect(buyer.time(start)).to_be_visible()


def test_a_crm_that_fails_meanwhile_leaves_the_page_as_it_is(buyer, standin, slow_days):
    buyer.open("/time/", **OF_FLAT)
    start = first_free(standin)
    with buyer.page.expect_response("**/time/days/*"):
        standin.stop()

    expect(buyer.heading).to_have_text("Когда вам удобно приехать?")
    expect(buyer.day(start)).to_be_visible()
