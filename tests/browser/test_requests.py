"""A full calendar is no dead end: a request, a time that becomes free, a booking."""

from __future__ import annotations

import re

import pytest

from booking import availability, services
from tests.browser import states
from tests.browser.chromium import with_and_without_scripts
from tests.journey import HOUSE

pytestmark = [pytest.mark.browser, with_and_without_scripts]


def test_who_waits_is_told_and_books(buyer, standin, settings):
    states.request_taken(buyer, standin, settings)
    mine = buyer.page.url
    standin.switch(busy=0.0, closed_weekdays=[])
    for day in availability.horizon(availability.unlisted(HOUSE).zone):
        availability.forget(HOUSE, day)
    assert len(services.visit_requests.tell_of_free_times()) == 1

    buyer.page.goto(mine)
    buyer.reads("Освободилось время")
    buyer.link("Записаться").click()
    buyer.page.locator("[name=start]").first.click()
    buyer.sign()
    buyer.button(re.compile("^Записаться на ")).click()

    buyer.sees("Вы записаны")
