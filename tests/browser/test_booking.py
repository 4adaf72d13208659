"""A buyer books, from the front door or from a link, and staff see it."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from playwright.sync_api import Request, Route, expect

from booking import services
from booking.models import Booking, ChangeRequest, Outcome
from booking.views import receipt
from standin import ACCEPTED_PHONE
from tests.browser.buyer import Buyer
from tests.browser.chromium import with_and_without_scripts
from tests.journey import FLAT, HOUSE, first_free

pytestmark = pytest.mark.browser


@with_and_without_scripts
def test_from_the_front_door_to_the_log_of_staff(buyer, standin, staff_password):
    start = first_free(standin)
    buyer.walk_to_last_step(start)
    buyer.sign("8 900 123-45-67")
    buyer.book_button.click()

    buyer.sees_confirmed(start)
    assert standin.count("add") == 1
    (held,) = standin.ledger
    assert (held.number, held.phone) == (FLAT, ACCEPTED_PHONE)
    _log_in(buyer, staff_password)
    _sees_in_the_log(buyer, start)


@with_and_without_scripts
def test_a_link_to_a_flat_continues_at_the_time(buyer, standin):
    buyer.open("/", category="flat", house=HOUSE, flat=FLAT)

    buyer.sees("Когда вам удобно приехать?")
    expect(buyer.page.get_by_text(FLAT)).to_be_visible()


@with_and_without_scripts
def test_a_link_to_an_unknown_flat_keeps_the_house(buyer, standin):
    buyer.open("/", category="flat", house=HOUSE, flat="1.8-99-9", utm_source="sms")

    expect(buyer.message).to_be_focused()
    expect(buyer.message).to_contain_text("1.8-99-9 в этом доме нет среди готовых")
    assert buyer.page.title().startswith("Ошибка:")
    expect(buyer.number).to_have_value("1.8-99-9")
    buyer.number.fill("1.8–12–1")
    buyer.button("Продолжить").click()
    buyer.sees("Когда вам удобно приехать?")
    assert "utm_source=sms" in buyer.page.url


@pytest.mark.parametrize("address", ["/?house=1#houses", "/time/?house={}&flat={}&date=1#days"])
def test_a_message_has_the_focus_even_where_the_address_names_a_place(buyer, standin, address):
    buyer.page.goto(buyer.site + address.format(HOUSE, FLAT))

    expect(buyer.message).to_be_focused()


@with_and_without_scripts
def test_a_link_to_an_unknown_house_keeps_the_flat(buyer, standin):
    buyer.open("/", category="flat", house="1", flat=FLAT)

    expect(buyer.message).to_contain_text("Дома из этой ссылки сейчас нет")
    buyer.house().click()
    buyer.sees("Когда вам удобно приехать?")


def test_a_number_that_two_flats_may_have_is_asked_back(buyer, standin):
    buyer.open("/", category="flat", house="3105034")
    buyer.number.fill("к-7")
    buyer.button("Продолжить").click()

    matches = buyer.page.get_by_role("region", name="Подходят несколько номеров")
    expect(matches.get_by_role("button")).to_have_text(
        ["K-7 латинскими буквами", "К-7 русскими буквами"]
    )
    matches.get_by_role("button").last.click()
    buyer.sees("Когда вам удобно приехать?")
    expect(buyer.page.get_by_text("кв. К-7")).to_be_visible()


def test_a_long_list_narrows_while_a_number_is_typed(buyer, standin):
    buyer.open("/", category="flat", house="3105012")
    buyer.number.press_sequentially("2.6-25")

    expect(buyer.page.get_by_role("status")).to_have_text("Найдено: 4")
    expect(buyer.button("2.6-25-1")).to_be_visible()
    expect(buyer.button("2.1-1-1")).to_be_hidden()
    buyer.number.fill("999")
    expect(buyer.page.get_by_role("status")).to_have_text("В списке такого номера нет.")


def test_mistakes_in_the_last_step_are_named_and_nothing_is_lost(buyer, standin):
    buyer.open_last_step(first_free(standin))
    buyer.phone.fill("12")
    buyer.book_button.click()

    expect(buyer.message).to_be_focused()
    buyer.message.get_by_role("link", name="Отметьте согласие").click()
    expect(buyer.consent).to_be_focused()
    expect(buyer.phone).to_have_value("12")
    buyer.sign("+7 (900) 123 45 67")
    buyer.book_button.click()
    buyer.sees("Вы записаны")
    assert standin.count("add") == 1


def test_the_button_tells_that_it_is_working_and_takes_no_second_press(buyer, standin):
    presses: list[Request] = []

    def stay(route: Route) -> None:
        """Answer "No content": the browser stays on the page, so that it can be looked at."""
        presses.append(route.request)
        route.fulfill(status=204)

    buyer.open_last_step(first_free(standin))
    buyer.page.route("**/confirm/*", stay)
    buyer.sign()
    buyer.book_button.press("Enter")

    expect(buyer.button("Записываем…")).to_be_disabled()
    expect(buyer.page.get_by_role("status")).to_contain_text("Не закрывайте страницу")
    buyer.button("Записываем…").press("Enter")
    buyer.page.wait_for_timeout(100)
    assert len(presses) == 1


@with_and_without_scripts
def test_a_wish_to_cancel_is_taken_once_and_stands_on_the_receipt(buyer, standin):
    start = first_free(standin)
    buyer.book(start)
    buyer.sees_confirmed(start)
    buyer.ask_to_cancel()

    buyer.reads("До ответа запись остаётся в силе")
    buyer.reads("Приеду весной")
    expect(buyer.page.get_by_role("heading", name="Перенести или отменить визит")).to_be_focused()
    assert ChangeRequest.objects.get().kind == "cancel"
    buyer.page.reload()
    buyer.reads("Приеду весной")
    expect(buyer.button("Отправить просьбу")).to_have_count(0)


def test_what_staff_find_out_shows_on_the_open_page_by_itself(buyer, standin, monkeypatch):
    monkeypatch.setitem(receipt.REFRESH_SECONDS, Outcome.IN_DOUBT, 1)
    standin.fail("add", "drop_after_write")
    buyer.book(first_free(standin))
    buyer.sees("Проверяем вашу запись")
    services.settling.resolve(Booking.objects.get(), was_booked=True, by="staff", note="")

    buyer.sees("Вы записаны")


def test_the_link_of_a_receipt_can_be_copied_and_sent(buyer, standin):
    buyer.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buyer.page.add_init_script("navigator.share = async (link) => { window.shared = link; }")
    buyer.book(first_free(standin))
    buyer.sees("Вы записаны")
    address = f"{buyer.site}{Booking.objects.get().get_short_url()}"

    buyer.button("Скопировать ссылку").click()
    expect(buyer.page.get_by_text("Ссылка скопирована")).to_be_visible()
    assert buyer.page.evaluate("navigator.clipboard.readText()") == address

    buyer.button("Отправить").click()
    assert buyer.page.evaluate("window.shared.url") == address
    buyer.page.goto(address)
    buyer.sees("Вы записаны")


def test_a_refused_phone_is_mended_where_it_was_refused(buyer, standin):
    start = first_free(standin)
    buyer.open_last_step(start)
    buyer.sign("8 900 765-43-21")
    buyer.book_button.click()
    buyer.sees("Записаться не получилось")
    expect(buyer.phone).to_have_value("8 900 765-43-21")

    buyer.sign()
    buyer.book_button.click()
    buyer.sees_confirmed(start)
    assert buyer.page.evaluate("sessionStorage.length") == 0


def test_a_typed_phone_is_kept_on_the_way_back(buyer, standin):
    first, second = standin.free_starts(HOUSE)[:2]
    buyer.open_last_step(first)
    buyer.phone.fill("8 900 123")
    buyer.link("Изменить день и время").click()
    buyer.time(second).click()

    expect(buyer.phone).to_have_value("8 900 123")
    buyer.sign()
    buyer.book_button.click()
    buyer.sees_confirmed(second)
    assert buyer.page.evaluate("sessionStorage.length") == 0


def _log_in(buyer: Buyer, password: str) -> None:
    buyer.open("/admin/booking/booking/")
    buyer.page.get_by_label("Имя пользователя").fill("staff")
    buyer.page.get_by_label("Пароль").fill(password)
    buyer.button("Войти").click()


def _sees_in_the_log(buyer: Buyer, start: datetime) -> None:
    booking = Booking.objects.get()
    row = buyer.page.get_by_role("row").filter(has_text=booking.reference)
    expect(row).to_contain_text("ожидается")
    expect(row).to_contain_text(f"{start:%d.%m.%Y %H:%M}")
    row.get_by_role("link").first.click()
    events = buyer.page.get_by_role("table").get_by_role("row")
    in_order = [re.compile(words) for words in ("Когда", "отправляется", "подтверждена")]
    expect(events).to_have_text(in_order)
