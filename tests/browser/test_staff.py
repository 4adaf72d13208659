"""Staff in the admin: resolve, answer, print; and anybody can use our pages of the admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from playwright.sync_api import Page, expect

from booking.models import Booking, House
from tests.bookings import booking, staff, tomorrow_at
from tests.browser.buyer import in_words
from tests.browser.chromium import with_and_without_scripts
from tests.browser.test_every_page import axe_findings, overhang
from tests.journey import FLAT, HOUSE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BOOKINGS = "/admin/booking/booking"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
EVERY_RULE = {
    "runOnly": {"type": "tag", "values": RULES},
    "resultTypes": ["violations"],
    # It would rebuild Django's style sheets inside the page, which the site's policy forbids.
    "preload": False,
}


@pytest.fixture
def open_page(page: Page, live_server: Any) -> Callable[..., Page]:
    """Opens an address of the site for somebody of a group."""

    def open_as(client: Client, path: str) -> Page:
        cookie = client.cookies["sessionid"]
        assert SessionStore().exists(cookie.value)
        page.context.add_cookies(
            [{"name": "sessionid", "value": cookie.value, "url": live_server.url}]
        )
        page.goto(f"{live_server.url}{path}")
        return page

    return open_as


def doubtful(**values: Any) -> Booking:
    return booking(outcome="in_doubt", reason="no_answer", **values)


@with_and_without_scripts
def test_an_operator_resolves_what_is_in_doubt(open_page, live_server):
    first = doubtful(flat="1", starts_at=tomorrow_at(9))
    second = doubtful(flat="2", starts_at=tomorrow_at(10))
    page = open_page(staff("olga", "operators"), "/admin/")

    page.get_by_role("link", name="Требует внимания: 2").click()
    page.get_by_role("link", name=f"Подвести итог {first.reference}").click()
    page.get_by_label("Да, визит записан").check()
    page.get_by_label("Что вы выяснили или сделали").fill("Есть в карточке")
    page.get_by_role("button", name="Подвести итог").click()

    expect(page.get_by_text("Итог записан")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=second.reference)).to_be_visible()
    page.get_by_label("Нет, такого визита нет").check()
    page.get_by_label("Что вы выяснили или сделали").fill("Нет в карточке")
    page.get_by_role("button", name="Подвести итог").click()
    expect(page.get_by_role("heading", name="Требует внимания")).to_be_visible()
    expect(page.get_by_text("Ничего нет.")).to_have_count(5)

    page.goto(f"{live_server.url}{first.get_absolute_url()}")
    expect(page.get_by_role("heading", name="Вы записаны")).to_be_visible()


@with_and_without_scripts
def test_an_operator_answers_a_wish(open_page, live_server):
    made = booking()
    made.change_requests.create(kind="cancel", wish="Уезжаю")
    page = open_page(staff("olga", "operators"), f"{BOOKINGS}/needs-a-look/")

    page.get_by_role("link", name=f"Ответить {made.reference}").click()
    page.get_by_label("Ответ покупателю").fill("Хорошо, отменили")
    page.get_by_label("Отменён").check()
    page.get_by_role("button", name="Ответить покупателю").click()

    expect(page.get_by_text("Отвечено")).to_be_visible()
    page.goto(f"{live_server.url}{made.get_absolute_url()}")
    expect(page.get_by_text("Хорошо, отменили")).to_be_visible()
    expect(page.get_by_role("heading", name="Визит отменён")).to_be_visible()


@with_and_without_scripts
def test_an_operator_tells_to_what_time_a_visit_is_moved(open_page, live_server):
    made = booking()
    made.change_requests.create(kind="move", wish="Лучше через неделю")
    day = made.starts_at_local + timedelta(days=7)
    page = open_page(staff("olga", "operators"), f"{BOOKINGS}/needs-a-look/")

    page.get_by_role("link", name=f"Ответить {made.reference}").click()
    page.get_by_label("Перенесён: я перенёс").check()
    page.get_by_label("Перенесён на день").fill(f"{day:%Y-%m-%d}")
    page.get_by_label("на время").fill("12:30")
    page.get_by_role("button", name="Ответить покупателю").click()

    expect(page.get_by_text(re.compile("Визит перенесён на .*, 12:30"))).to_be_visible()
    page.goto(f"{live_server.url}{made.get_absolute_url()}")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Визит перенесён на "))
    page.get_by_role("link", name="Открыть страницу визита").click()
    expect(page.get_by_role("heading", name="Вы записаны")).to_be_visible()
    expect(page.get_by_text(f"{in_words(day)}, 12:30")).to_be_visible()


@with_and_without_scripts
def test_the_day_sheet_is_one_clean_sheet_on_paper(open_page):
    made = booking()
    page = open_page(staff("mark", "managers"), "/admin/")

    page.get_by_role("link", name="Визиты на день").click()

    row = page.get_by_role("row").filter(has_text=made.reference)
    expect(row).to_contain_text("11:00")
    expect(row).to_contain_text("8 (900) 123-45-67")
    page.emulate_media(media="print")
    expect(row).to_be_visible()
    expect(page.get_by_role("columnheader", name="Подпись")).to_be_visible()
    for gone in ("День позже", "CSV", "Начало"):
        expect(page.get_by_role("link", name=gone)).to_have_count(0)


def test_the_day_sheet_of_another_day(open_page):
    made = booking()
    page = open_page(staff("mark", "managers"), f"{BOOKINGS}/day-sheet/")

    page.get_by_role("link", name="День позже").click()
    expect(page.get_by_text("В этот день никто не приедет.")).to_be_visible()
    page.get_by_label("День", exact=True).fill(f"{made.starts_at_local:%Y-%m-%d}")
    page.get_by_role("button", name="Показать").click()
    expect(page.get_by_role("cell", name=made.reference)).to_be_visible()


@pytest.fixture
def everything() -> dict[str, str]:
    """The pages of ours, with something on each."""
    House.objects.create(house_id=HOUSE, address="ул. Лесная, 1", directions="Со двора")
    for number in range(3):
        booking(outcome="refused", reason="no_match", flat=str(number), source={"ref": "site"})
    waiting = doubtful(flat="4")
    asked = booking(flat="5").change_requests.create(kind="move", wish="На пятницу")
    house = House.objects.get()
    return {
        "front": "/admin/",
        "log": f"{BOOKINGS}/",
        "booking": f"{BOOKINGS}/{waiting.pk}/change/",
        "queue": f"{BOOKINGS}/needs-a-look/",
        "resolve": f"{BOOKINGS}/{waiting.pk}/resolve/",
        "answer": f"/admin/booking/changerequest/{asked.pk}/answer/",
        "sheet": f"{BOOKINGS}/day-sheet/",
        "figures": f"{BOOKINGS}/figures/",
        "link": f"/admin/booking/house/{house.pk}/link/?category=flat&flat={FLAT}",
        "preview": f"/admin/booking/house/{house.pk}/preview/",
    }


PAGES = (
    *("front", "log", "booking", "queue", "resolve"),
    *("answer", "sheet", "figures", "link", "preview"),
)


@pytest.mark.parametrize("name", PAGES)
def test_anybody_can_use_our_pages(open_page, everything, name):
    page = open_page(staff("mark", "managers"), everything[name])
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE_SCRIPT)

    assert axe_findings(page, EVERY_RULE) == []
    page.emulate_media(color_scheme="dark")
    assert axe_findings(page, EVERY_RULE) == []
    page.set_viewport_size({"width": 320, "height": 568})
    if name not in {"front", "log", "booking"}:  # those are laid out by Django
        assert overhang(page, "100%") == 0


@with_and_without_scripts
def test_a_login_pressed_twice_and_another_in_a_second_tab_lead_to_the_desk(
    page, live_server, staff_password
):
    tabs = (page, page.context.new_page())
    for tab in tabs:
        tab.goto(f"{live_server.url}/admin/login/")
        tab.get_by_label("Имя пользователя").fill("staff")
        tab.get_by_label("Пароль").fill(staff_password)
    tabs[0].get_by_role("button", name="Войти").dblclick()
    expect(tabs[0].get_by_role("heading", name="Рабочее место")).to_be_visible()
    tabs[1].get_by_role("button", name="Войти").click()

    expect(tabs[1].get_by_role("heading", name="Рабочее место")).to_be_visible()
