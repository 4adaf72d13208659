"""Every state of every page of the buyer's, and how one gets there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from booking import services
from booking.middleware.load_shedding import Slots
from booking.models import Booking, ChangeRequest, House, Outcome, VisitRequest
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE, of_size
from tests.browser.buyer import Buyer
from tests.journey import FLAT, HOUSE, answers, first_free

State = Callable[[Buyer, StandIn, Settings], None]

LOGO = Path(__file__).with_name("logo.svg")
LONG_TITLE = (
    "Жилой комплекс комфорт-класса «Новая Преображенская слобода у Верх-Исетского пруда», третья"
    " очередь строительства, корпус 12, секции 1–4 (ул. Красноармейская, 128а, строение 7)"
)
OF_FLAT = {"category": "flat", "house": HOUSE, "flat": FLAT}


def houses(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open()
    buyer.reads("Выберите дом")


def flats(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", category="flat", house=HOUSE)
    buyer.reads("Или выберите из списка")


def two_hundred_houses(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.build(of_size(houses=200, flats=1))
    buyer.open()
    buyer.reads("Дом 200")


def a_house_with_a_long_name(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    house = standin.houses[HOUSE]
    standin.build([replace(house, title=LONG_TITLE)])
    buyer.open()
    buyer.house(LONG_TITLE).click()
    buyer.reads("Или выберите из списка")


def a_brand(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.SITE_NAME = "Застройщик «Семь холмов»: передача ключей"
    settings.ACCENT_COLOR = "#7a1f5c"
    settings.LOGO_FILE = str(LOGO)
    days(buyer, standin, settings)


def nothing_ready(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.build([])
    buyer.open()
    buyer.reads("квартир сейчас нет")


def unknown_flat(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", category="flat", house=HOUSE, flat="1.8-99-9")
    buyer.reads("в этом доме нет среди готовых")


def unknown_house(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", category="flat", house="1", flat=FLAT)
    buyer.reads("Дома из этой ссылки сейчас нет")


def category_not_offered(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", category="boat")
    buyer.reads("записаться нельзя")


def six_hundred_flats(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.build(of_size(houses=1, flats=600))
    buyer.open()
    buyer.house("Дом 1").click()
    buyer.reads("Или выберите из списка")


def filtered_flats(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    flats(buyer, standin, settings)
    buyer.number.fill("1.8-12")
    buyer.reads("Найдено: ")


def matches(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", category="flat", house="3105034", flat="к-7")
    buyer.reads("Подходят несколько номеров")


def days(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/time/", **OF_FLAT)
    buyer.reads(" свободн")


def days_of_many_weeks(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.BOOKING_HORIZON_DAYS = 60
    standin.switch(grid_minutes=15)
    buyer.open("/time/", **OF_FLAT)
    buyer.link("Более поздние дни").click()
    buyer.link("Более ранние дни").wait_for()
    buyer.button(re.compile(r"\d свободн")).nth(1).click()
    buyer.reads("Утро")


def day_not_bookable(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/time/", **OF_FLAT, date="2020-01-01")
    buyer.reads("записи нет")


def days_unknown(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    # Else the page's script would soon know them.
    nothing = '<ul class="days"></ul>'
    buyer.page.route("**/time/days/*", lambda route: route.fulfill(body=nothing))
    standin.fail("getFreeTimes", "status", times=4)
    settings.MACROCRM_CONCURRENCY = 1
    buyer.open("/time/", **OF_FLAT)
    buyer.reads("показать")


def unknown_day_opened(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    days_unknown(buyer, standin, settings)
    standin.fail("getFreeTimes", "status")
    buyer.button(re.compile("показать")).last.click()
    buyer.reads("Не успели узнать")


def full_day_opened(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    full = first_free(standin).date() + timedelta(days=1)
    standin.switch(closed_days=[full.isoformat()])
    buyer.open("/time/", **OF_FLAT, date=full.isoformat())
    buyer.reads("В этот день свободного времени нет")


def day_that_the_crm_explains(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    declined = first_free(standin).date() + timedelta(days=9)
    standin.switch(horizon_days=3)
    buyer.open("/time/", **OF_FLAT, date=declined.isoformat())
    expect(buyer.page.locator(".times__text")).to_be_visible()


def all_full(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.switch(busy=1)
    buyer.open("/time/", **OF_FLAT)
    buyer.reads("свободного времени нет")


def lost_time(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    start = first_free(standin)
    standin.hand_to_a_rival(HOUSE, start)
    buyer.open("/time/", **OF_FLAT, start=f"{start:%Y-%m-%dT%H:%M}")
    buyer.reads("Ближайшее свободное время")


def last_step(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open_last_step(first_free(standin))
    buyer.sees("Проверьте и подтвердите запись")


def last_step_with_mistakes(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open_last_step(first_free(standin))
    buyer.phone.fill("12")
    buyer.book_button.click()
    buyer.reads("Отметьте согласие")


def confirmed(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.book(first_free(standin))
    buyer.sees("Вы записаны")


def another_visit(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    first, second = standin.free_starts(HOUSE)[:2]
    buyer.book(first)
    buyer.sees("Вы записаны")
    buyer.book(second)
    buyer.reads("мы вас не записали")


def receipt_of_a_known_house(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    House.objects.create(
        house_id=HOUSE,
        address="Екатеринбург, ул. Таёжная, 14",
        map_url="https://maps.example/a/very/long/address/of/a/map",
        directions="Вход со двора.\nДомофон 12.",
        bring="паспорт\nдоговор\nрулетка и фонарик",
        visit_minutes=90,
        phone="+7 343 111-11-11",
    )
    confirmed(buyer, standin, settings)
    buyer.reads("Домофон 12")


def change_form(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    confirmed(buyer, standin, settings)
    buyer.open_change_form()


def change_form_with_mistakes(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    change_form(buyer, standin, settings)
    buyer.button("Отправить просьбу").click()
    buyer.reads("Проверьте, пожалуйста")


def change_form_with_a_long_wish(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    change_form(buyer, standin, settings)
    wish = buyer.page.get_by_role("textbox", name="Своими словами")
    wish.evaluate("field => field.removeAttribute('maxlength')")
    wish.fill("Лучше в субботу. " * 40)
    buyer.button("Отправить просьбу").click()
    buyer.reads("Проверьте, пожалуйста")


def change_asked(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    confirmed(buyer, standin, settings)
    buyer.ask_to_cancel()
    buyer.reads("До ответа запись остаётся в силе")


def change_answered(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    change_asked(buyer, standin, settings)
    request = ChangeRequest.objects.get()
    services.visits.answer(request, answer="Отменили.", by="staff", cancels=True)
    buyer.page.reload()
    buyer.sees("Визит отменён")


def visit_moved(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    change_asked(buyer, standin, settings)
    request = ChangeRequest.objects.get()
    start = request.booking.starts_at_local + timedelta(days=7)
    services.visits.answer(request, answer="Перенесли.", by="staff", moved_to=start)
    buyer.page.reload()
    buyer.sees(re.compile("^Визит перенесён на "))


def visit_at_its_new_time(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    visit_moved(buyer, standin, settings)
    buyer.link("Открыть страницу визита").click()
    buyer.sees("Вы записаны")
    buyer.reads("Перенесён с")


def clashing_visits(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.switch(capacity=2)
    confirmed(buyer, standin, settings)
    start = Booking.objects.get().starts_at_local
    buyer.open("/confirm/", **answers(start, category="storageroom", flat="К-1.4-7-1"))
    buyer.book_button.click()
    buyer.reads("слишком близко к нему")


def days_of_a_flat_that_is_booked(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    confirmed(buyer, standin, settings)
    buyer.open("/time/", **OF_FLAT)
    buyer.reads("вы уже записались")


def find_in_a_known_browser(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    clashing_visits(buyer, standin, settings)
    buyer.open("/find/")
    buyer.reads("Записи из этого браузера")


def move_times(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.MACROCRM_ADD_MOVES = True
    standin.switch(second_add="moves")
    confirmed(buyer, standin, settings)
    buyer.link("Выбрать другое время").click()
    buyer.sees("На какое время перенести визит?")


def move_to_a_taken_time(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    taken = standin.free_starts(HOUSE)[4]
    standin.hand_to_a_rival(HOUSE, taken)
    move_times(buyer, standin, settings)
    buyer.page.goto(f"{buyer.page.url}?start={taken:%Y-%m-%dT%H:%M}")
    buyer.reads("уже записался кто-то другой")


def move_question(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    move_times(buyer, standin, settings)
    buyer.time(standin.free_starts(HOUSE)[4]).click()
    buyer.sees("Перенести визит?")


def move_asked_for(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    move_question(buyer, standin, settings)
    settings.MACROCRM_ADD_MOVES = False
    buyer.page.reload()
    buyer.button(re.compile("^Попросить перенести на ")).click()
    buyer.reads("вы попросили перенести визит на")


def move_refused(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    move_question(buyer, standin, settings)
    standin.switch(second_add="refused")
    buyer.button(re.compile("^Перенести на ")).click()
    buyer.sees("Визит не перенесён")


def move_in_doubt(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    move_question(buyer, standin, settings)
    standin.fail("add", "drop_after_write")
    buyer.button(re.compile("^Перенести на ")).click()
    buyer.sees("Проверяем, перенесён ли визит")


def request_form(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    all_full(buyer, standin, settings)
    buyer.link("Сообщите мне, когда освободится время").click()
    buyer.sees("Оставьте заявку")


def request_form_with_mistakes(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    request_form(buyer, standin, settings)
    buyer.button("Отправить заявку").click()
    buyer.reads("Проверьте, пожалуйста")


def request_taken(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    request_form(buyer, standin, settings)
    buyer.ask_for_visit()
    buyer.sees(re.compile("^Заявка принята "))


def request_with_a_free_time(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    request_taken(buyer, standin, settings)
    start = timezone.localtime() + timedelta(days=1)
    VisitRequest.objects.update(free_start=start, told_at=timezone.now())
    buyer.page.reload()
    buyer.reads("Освободилось время")


def request_answered(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    request_taken(buyer, standin, settings)
    services.visit_requests.answer(VisitRequest.objects.get(), answer="Приезжайте.", by="staff")
    buyer.page.reload()
    buyer.reads("Приезжайте.")


def refused(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.book(first_free(standin), phone=REFUSED_PHONE)
    buyer.sees("Записаться не получилось")


def refused_because_declined(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settled(buyer, standin, settings, Outcome.REFUSED, "declined")


def refused_because_busy(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settled(buyer, standin, settings, Outcome.REFUSED, "busy")


def refused_because_misconfigured(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settled(buyer, standin, settings, Outcome.REFUSED, "misconfigured")


def sending(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settled(buyer, standin, settings, Outcome.SENDING, "")
    buyer.sees("Проверяем вашу запись")


def settled(
    buyer: Buyer, standin: StandIn, settings: Settings, outcome: Outcome, reason: str
) -> None:
    """The page of a booking with this outcome, as the journal has it."""
    confirmed(buyer, standin, settings)
    deadline = timezone.now() + timedelta(hours=1)
    Booking.objects.update(outcome=outcome, reason=reason, deadline_at=deadline)
    buyer.page.reload()
    expect(buyer.page.locator(f"[data-state={outcome}]")).to_be_visible()


def not_sent(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open_last_step(first_free(standin))
    buyer.sign()
    standin.stop()
    buyer.book_button.click()
    buyer.sees("Запись не отправлена")


def in_doubt(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.fail("add", "drop_after_write")
    buyer.book(first_free(standin))
    buyer.sees("Проверяем вашу запись")


def in_doubt_without_a_phone(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.SUPPORT_PHONE = ""
    in_doubt(buyer, standin, settings)


def crm_away(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    standin.stop()
    buyer.open("/time/", **OF_FLAT)
    buyer.sees("Запись временно недоступна")


def too_many_tries(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.LIMIT_PHONES_OF_CLIENT = 1
    first, second = standin.free_starts(HOUSE)[:2]
    buyer.book(first, phone=REFUSED_PHONE)
    buyer.sees("Записаться не получилось")
    buyer.book(second)
    buyer.reads("слишком часто вводили неверный телефон")


def find(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/find/")
    buyer.sees("Найти запись")


def find_with_mistakes(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    find(buyer, standin, settings)
    buyer.find("12", "")
    buyer.reads("Проверьте, пожалуйста")


def find_that_found_nothing(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    find(buyer, standin, settings)
    buyer.find("А 0001 ВС", ACCEPTED_PHONE)
    buyer.reads("Записи с таким номером и телефоном нет")


def find_too_often(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.LIMIT_FIND_PER_CLIENT = 1
    find_that_found_nothing(buyer, standin, settings)
    buyer.find("А 0002 ВС", ACCEPTED_PHONE)
    buyer.reads("Слишком много попыток")


def find_in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    find(buyer, standin, settings)
    buyer.link("English").click()
    buyer.sees("Find your booking")


def form_of_another_site(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    signed = {"phone": "8 900", "consent": "on"}
    buyer.press_on_another_site("/confirm/", **answers(first_free(standin)), **signed)
    buyer.reads("Форма пришла с другого сайта.")


def wish_of_another_site(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    confirmed(buyer, standin, settings)
    path = f"{Booking.objects.get().get_absolute_url()}change/"
    buyer.press_on_another_site(path, kind="move", wish="После обеда")
    buyer.reads("Форма пришла с другого сайта.")


def search_of_another_site(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.press_on_another_site("/find/", number="А1234ВС", phone=ACCEPTED_PHONE)
    buyer.reads("Форма пришла с другого сайта.")


def too_much_at_once(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/", **{f"field{number}": "" for number in range(300)})
    buyer.sees("Запрос слишком большой")


def not_understood(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    buyer.open()
    buyer.sees("Не удалось разобрать этот адрес")


def wrong_method(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open_last_step(first_free(standin))
    buyer.sign()
    buyer.book_button.evaluate("button => { button.form.action = '/' }")
    buyer.book_button.click()
    buyer.sees("Эту страницу так открыть нельзя")


def about_accessibility(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/accessibility/")


def in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    days(buyer, standin, settings)
    buyer.link("English").click()
    buyer.sees("When would you like to come?")


def receipt_in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    receipt_of_a_known_house(buyer, standin, settings)
    buyer.link("English").click()
    buyer.sees("You are booked")


def mistakes_in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    last_step(buyer, standin, settings)
    buyer.link("English").click()
    buyer.button(re.compile("^Book for")).click()
    buyer.reads("Please check")


def not_sent_in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    not_sent(buyer, standin, settings)
    buyer.link("English").click()
    buyer.sees("The booking was not sent")


def in_doubt_in_english(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    in_doubt(buyer, standin, settings)
    buyer.link("English").click()
    buyer.sees("We are checking your booking")


def visit_that_is_over(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    confirmed(buyer, standin, settings)
    Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))
    buyer.page.reload()
    buyer.sees("Время этого визита прошло")


def no_such_page(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    buyer.open("/bookings/00000000-0000-4000-8000-000000000000/")
    buyer.sees("Такой страницы нет")


def journal_away(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.booking, "find", Mock(side_effect=OperationalError))
        buyer.open("/bookings/00000000-0000-4000-8000-000000000000/")
        buyer.reads("запись в силе")


def crowd(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Slots, "acquire", lambda slots, client: False)
        buyer.open()
        buyer.sees("Сейчас слишком много посетителей")


def broken(buyer: Buyer, standin: StandIn, settings: Settings) -> None:
    settings.BOOKING_CATEGORIES = []
    buyer.open()
    buyer.sees("У нас что-то сломалось")


ALL: tuple[State, ...] = (
    houses,
    two_hundred_houses,
    a_house_with_a_long_name,
    a_brand,
    flats,
    nothing_ready,
    unknown_flat,
    unknown_house,
    category_not_offered,
    six_hundred_flats,
    filtered_flats,
    matches,
    days,
    days_of_many_weeks,
    day_not_bookable,
    days_unknown,
    unknown_day_opened,
    full_day_opened,
    day_that_the_crm_explains,
    all_full,
    lost_time,
    last_step,
    last_step_with_mistakes,
    confirmed,
    receipt_of_a_known_house,
    another_visit,
    change_form,
    change_form_with_mistakes,
    change_form_with_a_long_wish,
    change_asked,
    change_answered,
    visit_moved,
    visit_at_its_new_time,
    clashing_visits,
    days_of_a_flat_that_is_booked,
    find_in_a_known_browser,
    request_form,
    request_form_with_mistakes,
    request_taken,
    request_with_a_free_time,
    request_answered,
    move_times,
    move_to_a_taken_time,
    move_question,
    move_asked_for,
    move_refused,
    move_in_doubt,
    refused,
    refused_because_declined,
    refused_because_busy,
    refused_because_misconfigured,
    sending,
    not_sent,
    in_doubt,
    in_doubt_without_a_phone,
    crm_away,
    too_many_tries,
    find,
    find_with_mistakes,
    find_that_found_nothing,
    find_too_often,
    find_in_english,
    form_of_another_site,
    wish_of_another_site,
    search_of_another_site,
    too_much_at_once,
    not_understood,
    wrong_method,
    about_accessibility,
    in_english,
    receipt_in_english,
    mistakes_in_english,
    not_sent_in_english,
    in_doubt_in_english,
    visit_that_is_over,
    no_such_page,
    broken,
    crowd,
    journal_away,
)

in_every_state = pytest.mark.parametrize("state", ALL, ids=lambda state: state.__name__)
