"""The note for a reader whose clock differs from the house's (Yekaterinburg, UTC+5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.states import days, in_english
from tests.journey import first_free

pytestmark = pytest.mark.browser

ZONE_NOTE = "Время указано по Екатеринбургу"


def in_zone(zone):
    return pytest.mark.browser_context_args(timezone_id=zone)


def differs(zone, difference):
    return pytest.param(difference, id=zone, marks=in_zone(zone))


@pytest.mark.parametrize(
    "difference",
    [
        differs("Europe/Moscow", "на 2 часа меньше"),
        differs("Asia/Omsk", "на 1 час больше"),
        differs("Asia/Vladivostok", "на 5 часов больше"),
        differs("Asia/Kolkata", "на 30 минут больше"),
        differs("Asia/Kathmandu", "на 45 минут больше"),
        differs("Pacific/Marquesas", "на 14 часов 30 минут меньше"),
    ],
)
def test_a_clock_that_differs_is_told_by_how_much(buyer, standin, difference):
    buyer.open_last_step(first_free(standin))

    buyer.reads(f"{ZONE_NOTE} (у вас сейчас {difference})")


@in_zone("Asia/Yekaterinburg")
def test_a_clock_that_agrees_is_told_nothing(buyer, standin, settings):
    days(buyer, standin, settings)

    expect(buyer.page.get_by_text(ZONE_NOTE)).to_have_text(ZONE_NOTE)


@in_zone("Europe/Moscow")
def test_english_has_its_own_plurals(buyer, standin, settings):
    in_english(buyer, standin, settings)

    buyer.reads("Yekaterinburg time (your clock shows 2 hours less)")
