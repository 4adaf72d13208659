"""Lists that narrow while something is typed, by the rules of the server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from booking.flat_numbers import may_mean
from standin.fixtures import Flat, of_size
from tests.browser.chromium import with_and_without_scripts
from tests.journey import HOUSE
from tests.number_spellings import ASKED_BACK, MEANT, NUMBERS, UNKNOWN

pytestmark = pytest.mark.browser

ALL_TYPED = [*(typed for spelled in MEANT.values() for typed in spelled), *ASKED_BACK, *UNKNOWN]


def test_the_script_shows_what_the_server_understands(buyer, standin):
    flats = tuple(Flat("flat", number) for number in NUMBERS)
    standin.build([replace(standin.houses[HOUSE], flats=flats)])
    buyer.open("/", category="flat", house=HOUSE)

    for typed in ALL_TYPED:
        buyer.number.fill(typed)
        meant = {number for number in NUMBERS if may_mean(typed, number)}
        assert shown(buyer) == (meant or set(NUMBERS)), typed


def shown(buyer) -> set[str]:
    rows = "rows => rows.filter(row => !row.hidden).map(row => row.querySelector('button').value)"
    return set(buyer.page.locator("#flats li").evaluate_all(rows))


def test_a_group_without_a_match_goes_with_its_heading(buyer):
    buyer.open("/", category="flat", house="3105012")
    headings = buyer.page.locator("#flats h3")
    expect(headings).to_have_count(6)

    buyer.number.fill("2.3-19")

    expect(headings.locator("visible=true")).to_have_text("Номера, которые начинаются с 2.3")


@with_and_without_scripts
def test_a_long_list_leads_to_its_groups(buyer):
    buyer.open("/", category="flat", house="3105012")

    buyer.page.get_by_role("link", name="2.6", exact=True).click()

    expect(buyer.page.get_by_role("button", name="2.6-1-1", exact=True)).to_be_in_viewport()


def test_houses_are_found_by_their_name_and_street(buyer, standin):
    standin.build(of_size(houses=30, flats=1))
    buyer.open()
    typed = buyer.page.get_by_role("textbox", name="Название или улица")

    typed.fill("мерная 17")
    expect(buyer.page.get_by_role("status")).to_have_text("Найдено: 1")
    expect(buyer.house("Дом 17")).to_be_visible()
    expect(buyer.house("Дом 18")).to_be_hidden()

    typed.fill("нигде")
    expect(buyer.house("Дом 18")).to_be_visible()


@with_and_without_scripts
def test_houses_can_be_chosen(buyer, standin):
    standin.build(of_size(houses=30, flats=1))
    buyer.open()
    buyer.house("Дом 30").click()

    expect(buyer.number).to_be_visible()


def test_without_scripts_there_is_no_search_among_houses(browser, buyer, standin):
    standin.build(of_size(houses=30, flats=1))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(buyer.site)

    expect(page.get_by_role("textbox")).to_have_count(0)
    page.context.close()
