"""A visit is moved from its page, in presses."""

from __future__ import annotations

import re

import pytest
from icalendar import Calendar
from playwright.sync_api import expect

from booking.models import Booking, ChangeRequest
from tests.browser.chromium import with_and_without_scripts
from tests.journey import HOUSE

pytestmark = [pytest.mark.browser, with_and_without_scripts]


@pytest.fixture
def starts(standin, settings):
    settings.MACROCRM_ADD_MOVES = True
    standin.switch(second_add="moves")
    return standin.free_starts(HOUSE)


def test_a_visit_is_moved_in_three_presses(buyer, standin, starts):
    buyer.book(starts[0])
    buyer.sees("Вы записаны")

    buyer.link("Выбрать другое время").click()
    buyer.time(starts[5]).click()
    buyer.button(re.compile("^Перенести на ")).click()

    buyer.sees_confirmed(starts[5])
    buyer.reads("Перенесён с")
    assert standin.count("add") == 2


def test_a_second_time_that_was_wished_is_moved_to_in_two(buyer, standin, starts):
    early, late = starts[0], starts[5]
    buyer.book(early)
    buyer.sees("Вы записаны")
    buyer.book(late)
    expect(buyer.message).to_contain_text(f"На {late:%H:%M} мы вас не записали")

    buyer.message.get_by_role("link", name=f"Перенести на {late:%H:%M}").click()
    buyer.button(re.compile("^Перенести на ")).click()

    buyer.sees_confirmed(late)
    assert [each.state for each in Booking.objects.order_by("pk")] == ["moved", "expected"]


def test_where_the_crm_moves_nothing_the_time_is_asked_for(buyer, standin, starts, settings):
    settings.MACROCRM_ADD_MOVES = False
    buyer.book(starts[0])
    buyer.link("Выбрать другое время").click()
    buyer.time(starts[5]).click()
    buyer.button(re.compile("^Попросить перенести на ")).click()

    buyer.reads("вы попросили перенести визит на")
    assert ChangeRequest.objects.get().wanted_at == starts[5]
    assert standin.count("add") == 1


def test_the_calendar_moves_its_entry(buyer, starts):
    """The files that Chromium saves before and after, as a calendar client reads them."""
    buyer.book(starts[0])
    buyer.sees("Вы записаны")
    before = saved_entry(buyer)

    buyer.link("Выбрать другое время").click()
    buyer.time(starts[5]).click()
    buyer.button(re.compile("^Перенести на ")).click()
    buyer.sees_confirmed(starts[5])
    after = saved_entry(buyer)

    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert (before.start, after.start) == (starts[0], starts[5])


def saved_entry(buyer):
    with buyer.page.expect_download() as download:
        buyer.link("Добавить в календарь").click()
    (entry,) = Calendar.from_ical(download.value.path().read_bytes()).walk("VEVENT")
    return entry
