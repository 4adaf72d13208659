"""What a device asks of the looks: forced colours, no motion, paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from booking import brand
from tests.browser.states import a_brand, change_form, days, receipt_of_a_known_house

pytestmark = pytest.mark.browser


def test_with_forced_colours_the_chosen_day_differs_by_more_than_colour(buyer, standin, settings):
    days(buyer, standin, settings)
    buyer.page.emulate_media(forced_colors="active")

    chosen = buyer.page.locator("button[aria-current]")
    another = buyer.page.locator("button[name='date']:not([aria-current])").first
    assert style(chosen, "border-top-width") > style(another, "border-top-width")
    assert style(chosen, "content", "::before") != "none"


def test_with_forced_colours_the_focus_is_seen(buyer, standin, settings):
    days(buyer, standin, settings)
    buyer.page.emulate_media(forced_colors="active")
    buyer.page.keyboard.press("Tab")

    focused = buyer.page.locator(":focus")
    assert style(focused, "outline-style") == "solid"
    assert style(focused, "outline-width") == "3px"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_more_contrast_the_quiet_words_are_plain_to_read(buyer, standin, settings, scheme):
    days(buyer, standin, settings)
    buyer.page.emulate_media(contrast="more", color_scheme=scheme)

    quiet, paper = (style(buyer.page.locator("html"), name) for name in ("--quiet", "--paper"))
    assert brand.contrast(quiet, long_form(paper)) > 14


def long_form(colour):
    """#fff -> #ffffff"""
    return "#" + "".join(2 * each for each in colour[1:])


def test_nothing_moves(buyer, standin, settings):
    change_form(buyer, standin, settings)

    moving = "[...document.querySelectorAll('*')].flatMap(each => each.getAnimations()).length"
    assert buyer.page.evaluate(moving) == 0


def test_on_paper_the_receipt_has_what_one_needs_there_and_no_buttons(buyer, standin, settings):
    receipt_of_a_known_house(buyer, standin, settings)
    buyer.page.emulate_media(media="print")

    for told in ("Вы записаны", "ул. Таёжная, 14", "Домофон 12", "паспорт", "+7 343 111-11-11"):
        expect(buyer.page.get_by_role("main").get_by_text(told).first).to_be_visible()
    expect(buyer.page.get_by_text("Добавить в календарь")).to_be_hidden()
    expect(buyer.page.get_by_text("Попросить перенести")).to_be_hidden()


def test_the_receipt_is_one_sheet(buyer, standin, settings):
    receipt_of_a_known_house(buyer, standin, settings)

    pdf = buyer.page.pdf(format="A4")

    assert pdf.count(b"/Type /Page\n") == 1


def test_a_logo_has_the_colours_of_the_styles_inside_it(buyer, standin, settings):
    a_brand(buyer, standin, settings)

    colour = buyer.page.locator(".brand__logo").evaluate(
        """async logo => {
          await logo.decode();
          const paper = new OffscreenCanvas(120, 40).getContext("2d");
          paper.drawImage(logo, 0, 0, 120, 40);
          return Array.from(paper.getImageData(22, 30, 1, 1).data.slice(0, 3));
        }"""
    )
    assert colour == [0x7A, 0x1F, 0x5C]


def style(element, name, part=""):
    script = "(element, [name, part]) => getComputedStyle(element, part).getPropertyValue(name)"
    return element.evaluate(script, [name, part])
