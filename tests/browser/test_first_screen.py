"""Where controls stand on a small phone: what a step is for is on its first screen."""

from __future__ import annotations

import pytest

from tests.browser import states

pytestmark = pytest.mark.browser


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 360, "height": 740}}


def top(locator):
    return locator.first.bounding_box()["y"]


def bottom(locator):
    box = locator.first.bounding_box()
    return box["y"] + box["height"]


def test_the_number_of_a_flat_is_typed_on_the_first_screen(buyer, standin, settings):
    states.flats(buyer, standin, settings)

    assert top(buyer.number) <= 420


def test_the_week_and_its_first_times_are_on_the_first_screen(buyer, standin, settings):
    states.days(buyer, standin, settings)

    week = buyer.page.locator("[name=date]")
    assert bottom(week.nth(6)) <= 560
    assert bottom(buyer.page.locator("[name=start]")) <= 560


def test_the_phone_is_typed_on_the_first_screen(buyer, standin, settings):
    states.last_step(buyer, standin, settings)

    assert top(buyer.phone) <= 520
    assert bottom(buyer.book_button) <= 1.5 * 740


def test_a_receipt_tells_when_and_where_and_leads_to_the_calendar(buyer, standin, settings):
    states.receipt_of_a_known_house(buyer, standin, settings)

    assert bottom(buyer.link("Добавить в календарь")) <= 740
    assert bottom(buyer.page.get_by_text("ул. Таёжная, 14")) <= 740


def test_a_refusal_is_mended_on_its_own_page(buyer, standin, settings):
    states.refused(buyer, standin, settings)

    assert bottom(buyer.phone) <= 740
    assert bottom(buyer.book_button) <= 1.5 * 740


@pytest.mark.parametrize(
    ("state", "way_on"),
    [
        (states.not_sent, "Попробовать ещё раз"),
        (states.refused_because_busy, "Попробовать ещё раз"),
        (states.change_answered, "Выбрать другое время"),
        (states.visit_moved, "Открыть страницу визита"),
        (states.visit_that_is_over, "Записаться ещё раз"),
    ],
)
def test_an_outcome_shows_the_way_on_at_once(buyer, standin, settings, state, way_on):
    state(buyer, standin, settings)
    # Without the place of the page that some addresses name.
    buyer.page.goto(buyer.page.url.partition("#")[0])
    buyer.page.evaluate("scrollTo(0, 0)")

    either = buyer.link(way_on).or_(buyer.button(way_on))
    assert bottom(buyer.heading) <= 420
    assert bottom(either) <= 740


def test_a_doubt_says_first_what_not_to_do(buyer, standin, settings):
    states.in_doubt(buyer, standin, settings)

    assert bottom(buyer.page.get_by_text("не записывайтесь повторно")) <= 740
