"""A buyer in front of the browser: reads, clicks and types; knows no class, id or address."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from standin import ACCEPTED_PHONE
from tests.journey import FLAT, answers

HOUSE_NAME = "Лесной квартал», дом 1"
WEEKDAYS = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)


class Buyer:
    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site

    # What is on the page

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def message(self) -> Locator:
        """What the page says is wrong."""
        return self.page.get_by_role("alert")

    @property
    def phone(self) -> Locator:
        return self.page.get_by_role("textbox", name="Телефон")

    @property
    def consent(self) -> Locator:
        return self.page.get_by_role("checkbox", name="Даю согласие")

    @property
    def number(self) -> Locator:
        return self.page.get_by_role("textbox", name="Номер квартиры")

    def link(self, name: str | re.Pattern[str]) -> Locator:
        """A link with exactly this name, or one that the pattern finds."""
        return self.page.get_by_role("link", name=name, exact=isinstance(name, str))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def house(self, name: str = HOUSE_NAME) -> Locator:
        return self.button(re.compile(re.escape(name)))

    def day(self, moment: datetime) -> Locator:
        """A day with its count of free times."""
        return self.button(re.compile(rf"^{in_words(moment)} \d+ свободн"))

    def time(self, moment: datetime) -> Locator:
        return self.button(f"{in_words(moment)}, {moment:%H:%M}")

    @property
    def book_button(self) -> Locator:
        return self.button(re.compile("^Записаться на "))

    # What the buyer does

    def open(self, path: str = "/", **query: str) -> None:
        self.page.goto(f"{self.site}{path}" + (f"?{urlencode(query)}" if query else ""))

    def open_last_step(self, start: datetime) -> None:
        self.open("/confirm/", **answers(start))

    def sign(self, phone: str = ACCEPTED_PHONE) -> None:
        self.phone.fill(phone)
        # Not asked for again in a browser that has just given it.
        if self.consent.count():
            self.consent.check()

    def book(self, start: datetime, phone: str = ACCEPTED_PHONE) -> None:
        """From the last step to whatever page follows the button."""
        self.open_last_step(start)
        self.sign(phone)
        self.book_button.click()

    def find(self, number: str, phone: str) -> None:
        """Ask for a booking on the page that finds one."""
        self.page.get_by_role("textbox", name="Номер записи").fill(number)
        self.phone.fill(phone)
        self.button("Открыть запись").click()

    def walk_to_last_step(self, start: datetime) -> None:
        """From the front door, by clicks alone."""
        self.open()
        self.house().click()
        self.button(FLAT).click()
        self.day(start).click()
        self.time(start).click()

    def press_on_another_site(self, path: str, **fields: str) -> None:
        """The button of a form that sends these fields from a page which is not ours."""
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in fields.items()
        )
        form = (
            f'<form method="post" action="{self.site}{path}">{hidden}<button>Приз</button></form>'
        )
        self.page.goto("about:blank")
        self.page.set_content(form)
        self.button("Приз").click()

    def until_answered(self) -> None:
        """Reload the page of a booking that is on its way, as the page itself does in time."""
        for _ in range(50):
            if self.heading.inner_text() != "Проверяем вашу запись":
                return
            self.page.wait_for_timeout(100)
            self.page.reload()

    def open_change_form(self) -> None:
        self.page.get_by_text("Попросить перенести или отменить").click()

    def ask_to_cancel(self) -> None:
        self.open_change_form()
        self.page.get_by_role("radio", name="Отменить визит").check()
        self.page.get_by_role("textbox", name="Своими словами").fill("Приеду весной")
        self.button("Отправить просьбу").click()

    def ask_for_visit(self) -> None:
        """Fill in and send the form of a request for a visit."""
        self.phone.fill(ACCEPTED_PHONE)
        self.page.get_by_role("textbox", name="Своими словами").fill("Лучше в субботу")
        self.consent.check()
        self.button("Отправить заявку").click()

    # What the buyer sees

    def sees(self, heading: str | re.Pattern[str]) -> None:
        """Wait for the page with this heading."""
        expect(self.heading).to_have_text(heading)

    def reads(self, text: str) -> None:
        """Wait for these words in the page's content."""
        expect(self.page.get_by_role("main")).to_contain_text(text)

    def sees_confirmed(self, start: datetime) -> None:
        self.sees("Вы записаны")
        expect(self.page.get_by_text(f"{in_words(start)}, {start:%H:%M}")).to_be_visible()


def in_words(moment: datetime) -> str:
    """The day as the pages write it: "вторник, 2 декабря", with the year if it is another one."""
    day = f"{WEEKDAYS[moment.weekday()]}, {moment.day} {MONTHS[moment.month - 1]}"
    this_year = datetime.now(moment.tzinfo).year
    return day if moment.year == this_year else f"{day} {moment.year}"
