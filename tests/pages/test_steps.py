"""Each page: what is shown, where it leads, what the CRM received."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from booking import wording
from booking.models import Booking
from standin.fixtures import REFUSED_PHONE
from standin.fixtures import Flat as BuiltFlat
from tests.journey import (
    FLAT,
    HOUSE,
    answers,
    fill_in,
    first_free,
    heading,
    hidden_fields,
    links,
    offered,
    offered_times,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db


class TestChooseFlat:
    def test_houses_come_first(self, client, standin):
        page = client.get("/")

        assert heading(page) == "Какую квартиру вы получаете?"
        assert "Лесной квартал" in text_of(page)
        assert f"/?category=flat&house={HOUSE}" in offered(page)
        assert FLAT not in text_of(page)

    def test_then_the_flats_of_one_house(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}")

        assert f"/time/?category=flat&house={HOUSE}&flat={FLAT}" in offered(page)
        assert "нет в списке" not in text_of(page)

    @pytest.mark.parametrize(
        ("category", "asked"),
        [("flat", "Не нашли свою квартиру?"), ("storageroom", "Не нашли свою кладовую?")],
    )
    def test_what_is_not_listed_has_its_name(self, client, standin, category, asked):
        houses = text_of(client.get(f"/?category={category}"))
        assert "Не нашли свой дом?" in houses
        assert asked not in houses
        assert asked in text_of(client.get(f"/?category={category}&house={HOUSE}"))

    def test_the_way_back_leads_to_the_houses(self, client, standin):
        page = text_of(client.get(f"/?category=flat&house={HOUSE}"))

        assert '<a class="back" href="/?category=flat">Назад</a>' in page
        assert 'class="back"' not in text_of(client.get("/"))

    def test_search_engines_list_the_bare_page(self, client, standin):
        for query in ("", "?utm_source=letter", f"?category=flat&house={HOUSE}"):
            html = text_of(client.get(f"/{query}"))

            assert '<link rel="canonical" href="http://testserver/">' in html
            assert "noindex" not in html

    def test_a_deep_link_continues_at_the_next_step(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat={FLAT}&utm_source=sms&other=1")

        assert page.status_code == 302
        assert page.url == f"/time/?category=flat&house={HOUSE}&flat={FLAT}&utm_source=sms"

    def test_a_deep_link_may_leave_out_what_follows_from_the_rest(self, client, standin):
        page = client.get(f"/?flat={FLAT}")

        assert page.url == f"/time/?category=flat&house={HOUSE}&flat={FLAT}"

    def test_a_deep_link_keeps_its_date(self, client, standin):
        page = client.get(f"/?house={HOUSE}&flat={FLAT}&date=2031-12-02")

        assert page.url.endswith("&date=2031-12-02")

    def test_an_unknown_flat_keeps_the_house(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat=9.9-9-9")

        assert page.status_code == 200
        assert "9.9-9-9" in text_of(page)
        assert "нет среди готовых" in text_of(page)
        assert hidden_fields(text_of(page))["house"] == HOUSE

    def test_an_unknown_house_keeps_the_flat(self, client, standin):
        page = client.get(f"/?category=flat&house=1&flat={FLAT}")

        assert "Дома из этой ссылки сейчас нет в списке" in text_of(page)
        assert f"/?category=flat&flat={FLAT}&house={HOUSE}" in offered(page)

    def test_an_unknown_category_is_explained(self, client, standin):
        page = client.get("/?category=yacht")

        assert "записаться нельзя" in text_of(page)

    def test_a_category_that_is_not_offered_opens_nothing_else(self, client, standin, settings):
        settings.BOOKING_CATEGORIES = ["flat"]

        page = client.get(f"/?category=garage&house={HOUSE}&flat={FLAT}")

        assert page.status_code == 200
        assert "записаться нельзя" in text_of(page)
        assert hidden_fields(text_of(page))["house"] == HOUSE

    def test_a_number_is_found_however_it_is_typed(self, client, standin):
        page = client.get("/", {"category": "storageroom", "house": HOUSE, "flat": "кв. k-1.4–3-1"})

        assert page.url.endswith(f"flat={quote('К-1.4-3-1')}")

    def test_dashes_may_be_left_out(self, client, standin):
        page = client.get("/?category=storageroom&house=3105011&flat=к 14 3 1")

        assert "Или это один из этих номеров?" in text_of(page)
        assert any(url.endswith(f"flat={quote('К-1.4-3-1')}") for url in offered(page))

    @pytest.mark.parametrize(
        ("typed", "listed", "is_offered"),
        [("1-12", "11-2", False), ("1 12", "112", True), ("112", "1-12", True)],
    )
    def test_another_flat_is_never_taken_for_one_that_is_not_listed(
        self, client, standin, typed, listed, is_offered
    ):
        house = replace(standin.houses[HOUSE], flats=(BuiltFlat("flat", listed),))
        standin.build([house])

        page = client.get("/", {"category": "flat", "house": HOUSE, "flat": typed})

        assert page.status_code == 200
        assert "нет среди готовых" in text_of(page)
        assert ("Или это один из этих номеров?" in text_of(page)) is is_offered

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("", "Введите номер"),
            ("  ", "Введите номер"),
            ("9" * 65, "Этот номер не удалось прочитать"),
            ("1\0", "Этот номер не удалось прочитать"),
        ],
    )
    def test_a_number_that_is_none_is_answered_in_words(self, client, standin, typed, said):
        page = client.get("/", {"category": "flat", "house": HOUSE, "flat": typed})

        html = text_of(page)
        assert said in html
        assert "Ошибка:" in html
        assert f"/time/?category=flat&house={HOUSE}&flat={FLAT}" in offered(page)
        assert not {"\ufffd", "\0"} & set(html)
        main = html.partition("<main")[2].partition("</main")[0]
        assert "%EF%BF%BD" not in main

    @pytest.mark.parametrize("flat", ["9" * 65, "  "])
    def test_a_number_that_is_none_does_not_go_on_in_links(self, client, standin, flat):
        page = client.get("/", {"category": "flat", "flat": flat, "date": "9" * 65})

        assert f"/?category=flat&house={HOUSE}" in offered(page)
        assert "\ufffd" not in text_of(page)

    def test_look_alikes_are_a_choice(self, client, standin):
        page = client.get("/?category=flat&house=3105034&flat=к-7")

        assert f"/time/?category=flat&house=3105034&flat={quote('К-7')}" in offered(page)
        assert "/time/?category=flat&house=3105034&flat=K-7" in offered(page)

    def test_of_look_alikes_in_the_list_each_names_its_letters(self, client, standin):
        html = text_of(client.get("/?category=flat&house=3105034"))

        notes = dict(re.findall(r'<button class="chip"[^>]*>([^< ]+) <span[^>]*>([^<]+)<', html))
        assert notes == {"K-7": "латинскими буквами", "К-7": "русскими буквами"}

    def test_one_category_is_no_question(self, client, standin, settings):
        settings.BOOKING_CATEGORIES = ["storageroom"]

        page = client.get("/")

        assert heading(page) == "Какую кладовую вы получаете?"
        assert "category=flat" not in text_of(page)

    def test_markup_in_an_answer_is_text(self, client, standin):
        page = client.get(f"/?category=flat&house={HOUSE}&flat=<script>alert(1)</script>")

        assert "<script>alert" not in text_of(page)

    def test_nothing_ready_says_so(self, client, standin):
        standin.fail("getReadyFlats", "status", status=200, body=EMPTY)

        assert "квартир сейчас нет" in text_of(client.get("/"))


EMPTY = '{"status_code":200,"data":[],"message":"Выполнено"}'


class TestChooseTime:
    def url(self, **more):
        query = {"category": "flat", "house": HOUSE, "flat": FLAT, **more}
        return "/time/?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())

    def test_the_nearest_free_day_is_open(self, client, standin, settings):
        settings.BOOKING_MIN_NOTICE_HOURS = 24
        earliest = timezone.now() + timedelta(hours=24)
        # The first day with a free time may be the same for two numbers of days ahead.
        starts = sorted(
            {
                start
                for days in range(1, 4)
                for start in standin.free_starts(HOUSE, days_ahead=days)
                if start >= earliest
            }
        )
        page = client.get(self.url())

        nearest = [start for start in starts if start.date() == starts[0].date()]
        assert [parse_qs(urlsplit(url).query)["start"] for url in offered_times(page)] == [
            [f"{start:%Y-%m-%dT%H:%M}"] for start in nearest
        ]

    def test_times_lead_to_the_last_step(self, client, standin):
        start = first_free(standin)
        page = client.get(self.url(date=f"{start:%Y-%m-%d}", ref="sms"))

        chosen = f"category=flat&house={HOUSE}&flat={FLAT}&ref=sms"
        at = quote(f"{start:%Y-%m-%dT%H:%M}")
        assert f"/confirm/?{chosen}&start={at}" in offered_times(page)

    def test_every_day_of_the_horizon_is_there(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 7
        standin.switch(closed_weekdays=[7])
        page = client.get(self.url())

        assert standin.count("getFreeTimes") == 7
        assert "всё занято" in text_of(page)

    def test_days_are_remembered_for_a_short_time(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 3
        client.get(self.url())
        client.get(self.url())

        assert standin.count("getFreeTimes") == 3

    def test_a_day_that_fails_is_not_shown_as_full(self, client, standin, settings):
        settings.BOOKING_HORIZON_DAYS = 2
        standin.fail("getFreeTimes", "status", times=2)
        settings.MACROCRM_CONCURRENCY = 1
        page = client.get(self.url())

        assert "показать" in text_of(page)

    def test_the_zone_is_named(self, client, standin):
        assert "Екатеринбургу" in text_of(client.get(self.url()))

    def test_an_unlisted_flat_goes_back_to_the_first_step(self, client, standin):
        page = client.get(f"/time/?category=flat&house={HOUSE}&flat=nope")

        assert page.url == f"/?category=flat&house={HOUSE}&flat=nope"

    def test_a_time_that_is_gone_is_named_and_others_are_near(self, client, standin):
        lost = standin.free_starts(HOUSE)[3]
        standin.hand_to_a_rival(HOUSE, lost)
        page = client.get(self.url(start=f"{lost:%Y-%m-%dT%H:%M}"))

        html = text_of(page)
        assert f"{lost:%H:%M}" in html
        assert "уже записался кто-то другой" in html
        near = [f"{lost + timedelta(minutes=m):%Y-%m-%dT%H:%M}" for m in (-30, 30)]
        times = offered_times(page)
        assert all(any(url.endswith(quote(start)) for url in times) for start in near)

    @pytest.mark.parametrize("odd", ["2031-13-45T99:99", "завтра", "2031-01-01", "9" * 300])
    def test_an_odd_start_is_explained(self, client, standin, odd):
        page = client.get(self.url(start=odd))

        assert page.status_code == 200
        assert "выберите" in text_of(page).lower()

    def test_a_past_day_is_explained_and_never_asked(self, client, standin):
        page = client.get(self.url(date="2020-01-01"))

        assert "записи нет" in text_of(page)
        asked = {record.params["transfer_date"][:4] for record in standin.requests[1:]}
        assert "2020" not in asked

    def test_a_free_time_on_another_page_of_days_is_not_called_taken(
        self, client, standin, settings
    ):
        settings.BOOKING_HORIZON_DAYS = 40
        far = standin.free_starts(HOUSE, days_ahead=20)[0]

        page = text_of(client.get("/time/", answers(far) | {"date": f"{timezone.now():%Y-%m-%d}"}))

        assert "уже записался кто-то другой" not in page
        assert f"start={far:%Y-%m-%dT%H}" in page

    @pytest.mark.parametrize(
        ("ahead", "said"),
        [(1, "Возможно, оно есть позже"), (20, "Возможно, оно есть раньше")],
    )
    def test_full_days_say_where_else_to_look(self, client, standin, settings, ahead, said):
        settings.BOOKING_HORIZON_DAYS = 28
        today = timezone.localdate()
        standin.switch(closed_days=[f"{today + timedelta(days=ahead)}" for ahead in range(28)])

        page = text_of(client.get(self.url(date=f"{today + timedelta(days=ahead)}")))

        assert said in page
        assert "всё занято" in page

    def test_an_expired_date_of_a_link_leads_to_the_first_free_time(
        self, client, standin, settings
    ):
        settings.BOOKING_HORIZON_DAYS = 60
        today = timezone.localdate()
        standin.switch(closed_days=[f"{today + timedelta(days=ahead)}" for ahead in range(20)])

        page = client.get(f"/time/?category=flat&house={HOUSE}&flat={FLAT}&date=2020-01-01")

        assert "записи нет" in text_of(page)
        assert offered_times(page)


class TestConfirm:
    def test_every_answer_is_shown_with_a_way_to_change_it(self, client, standin):
        start = first_free(standin)
        page = client.get("/confirm/", answers(start))

        html = text_of(page)
        assert heading(page) == "Проверьте и подтвердите запись"
        assert FLAT in html
        assert f"{start:%H:%M}" in html
        assert html.count("Изменить") >= 3

    def test_another_flat_keeps_the_time(self, client, standin):
        house = replace(
            standin.houses[HOUSE], flats=(BuiltFlat("flat", FLAT), BuiltFlat("flat", "2"))
        )
        standin.build([house])
        start = first_free(standin)
        last_step = text_of(client.get("/confirm/", answers(start, ref="sms")))

        (to_flats,) = re.findall(r'href="([^"]*)" aria-label="Изменить, что получаете"', last_step)
        flats = client.get(unescape(to_flats))
        typed = client.get("/", hidden_fields(text_of(flats)) | {"flat": "2"})

        wanted = answers(start, flat="2", ref="sms")
        assert typed.url == f"/confirm/?{urlencode(wanted)}"
        (pressed,) = [url for url in offered(flats) if url.endswith("&flat=2")]
        assert urlsplit(pressed).path == "/confirm/"
        assert dict(parse_qsl(urlsplit(pressed).query)) == wanted
        assert client.get(pressed).status_code == 200

    def test_another_house_keeps_the_time(self, client, standin):
        start = first_free(standin)
        last_step = text_of(client.get("/confirm/", answers(start)))
        change = r'href="([^"]*)" aria-label="{}"'

        (to_flats,) = re.findall(change.format("Изменить, что получаете"), last_step)
        flats = text_of(client.get(unescape(to_flats)))
        (to_houses,) = re.findall(change.format("Изменить дом"), flats)
        houses = offered(client.get(unescape(to_houses)))

        at = urlencode({"start": f"{start:%Y-%m-%dT%H:%M}"})
        assert all(at in url for url in houses)

    def test_another_flat_and_a_lost_time_keep_the_flat(self, client, standin):
        start = first_free(standin)
        standin.hand_to_a_rival(HOUSE, start)

        page = client.get("/", answers(start), follow=True)

        assert page.request["PATH_INFO"] == "/time/"
        assert "уже записался кто-то другой" in text_of(page)

    def test_a_booking_from_the_form_to_its_page(self, client, standin):
        response = send(client, fill_in(client, first_free(standin), utm_source="sms"))
        booking = Booking.objects.get()

        assert response.url == f"/bookings/{booking.key}/"
        page = client.get(response.url)
        assert heading(page) == "Вы записаны"
        assert booking.source == {"utm_source": "sms"}
        assert len(standin.ledger) == 1

    def test_an_incomplete_form_comes_back_with_everything_kept(self, client, standin):
        form = fill_in(client, first_free(standin), phone="12", ref="sms")
        del form["consent"]
        page = send(client, form)

        html = text_of(page)
        assert page.status_code == 200
        assert "<title>Ошибка:" in " ".join(html.split()).replace("<title> ", "<title>")
        assert 'value="12"' in html
        assert "Отметьте согласие" in html
        kept = hidden_fields(html) | {"form_token": form["form_token"]}
        assert kept == {k: v for k, v in form.items() if k != "phone"}
        assert standin.count("add") == 0

    def test_the_form_goes_to_the_page_s_own_address(self, client, standin):
        address = f"/confirm/?{urlencode(answers(first_free(standin), ref='sms'))}"
        form = fill_in(client, first_free(standin), ref="sms")
        del form["consent"]

        wrong = client.post(address, form)

        for page in (client.get(address), wrong):
            (action,) = re.findall(r'action="([^"]*)"', text_of(page))
            assert unescape(action) == address

    @pytest.mark.parametrize("key", ["", "nonsense"])
    def test_a_form_without_its_key_gets_a_new_one(self, client, standin, key):
        form = fill_in(client, first_free(standin))
        page = send(client, form | {"key": key})

        assert uuid.UUID(hidden_fields(text_of(page))["key"])
        assert standin.count("add") == 0

    def test_the_consent_is_kept_with_its_version(self, client, standin):
        send(client, fill_in(client, first_free(standin)))

        assert Booking.objects.get().consent == wording.CONSENT_VERSION

    def test_sent_twice_it_is_one_booking(self, client, standin):
        form = fill_in(client, first_free(standin))
        first, second = send(client, form), send(client, form)

        assert first.url == second.url
        assert standin.count("add") == 1

    def test_sent_twice_at_once_it_is_one_booking(self, standin, transactional_db):
        form = fill_in(Client(), first_free(standin))

        def press(_):
            try:
                return send(Client(), form).url
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            (url,) = set(pool.map(press, range(4)))

        assert heading(Client().get(url)) == "Вы записаны"
        assert standin.count("add") == 1

    def test_going_back_after_booking_shows_the_booking(self, client, standin):
        start = first_free(standin)
        booked = send(client, fill_in(client, start))

        assert client.get("/confirm/", answers(start)).url == booked.url

    def test_somebody_elses_browser_is_told_that_the_time_is_gone(self, client, standin):
        start = first_free(standin)
        send(client, fill_in(client, start))

        page = Client().get("/confirm/", answers(start))
        assert page.headers["Location"].startswith("/time/")

    def test_a_day_later_it_is_still_that_booking(self, client, standin):
        form = fill_in(client, first_free(standin))
        booked = send(client, form)
        standin.switch(booked_flats="disappear")
        cache.clear()
        Booking.objects.update(starts_at=F("starts_at") - timedelta(days=30))
        form["start"] = (
            f"{datetime.fromisoformat(form['start']) - timedelta(days=30):%Y-%m-%dT%H:%M}"
        )

        assert send(client, form).url == booked.url

    def test_a_refused_phone(self, client, standin):
        response = send(client, fill_in(client, first_free(standin), phone=REFUSED_PHONE))
        page = client.get(response.url)

        assert heading(page) == "Записаться не получилось"
        assert "не тот телефон, что указан в договоре" in text_of(page)
        assert Booking.objects.get().outcome == "refused"

    def test_a_form_whose_body_was_lost_comes_back(self, client, standin):
        start = first_free(standin)

        page = client.post("/confirm/?" + urlencode(answers(start)))

        assert page.status_code == 200
        assert heading(page) == "Проверьте и подтвердите запись"
        assert "Укажите номер телефона" in text_of(page)

    def test_after_trying_again_the_browser_is_known(self, client, standin):
        early, late = standin.free_starts(HOUSE)[:2]
        form = fill_in(client, early)
        standin.stop()
        not_sent = send(client, form)
        standin.start()
        booked = client.post(f"{not_sent.url}again/")

        again = send(client, fill_in(client, late))

        assert again.url.startswith(booked.url)

    def test_a_refused_phone_is_kept_for_the_next_try(self, client, standin):
        start = first_free(standin)
        send(client, fill_in(client, start, phone=REFUSED_PHONE))
        page = client.get("/confirm/", answers(start))

        assert "8 (900) 765-43-21" in text_of(page)

    def test_a_time_taken_in_between(self, client, standin):
        start = standin.free_starts(HOUSE)[2]
        form = fill_in(client, start)
        standin.hand_to_a_rival(HOUSE, start)
        response = send(client, form)

        page = client.get(response.url)
        assert response.url.startswith("/time/?")
        assert "уже записался кто-то другой" in text_of(page)
        assert Booking.objects.get().reason == "slot_taken"
        assert "8 (900) 123-45-67" in text_of(client.get(offered_times(page)[0]))

    def test_the_crm_down_before_sending(self, client, standin):
        form = fill_in(client, first_free(standin))
        standin.stop()
        page = client.get(send(client, form).url)

        assert heading(page) == "Запись не отправлена"
        assert Booking.objects.get().outcome == "not_sent"

    def test_the_crm_silent_after_sending(self, client, standin):
        form = fill_in(client, first_free(standin))
        standin.fail("add", "drop_after_write")
        page = client.get(send(client, form).url)

        assert heading(page) == "Проверяем вашу запись"
        assert "не записывайтесь повторно" in text_of(page)
        assert 'http-equiv="refresh"' not in text_of(page)
        assert "Проверить, есть ли ответ" in text_of(page)
        assert "Сохраните ссылку на эту страницу" in text_of(page)
        assert Booking.objects.get().outcome == "in_doubt"

    def test_not_sent_has_one_button_that_tries_again(self, client, standin):
        form = fill_in(client, first_free(standin))
        standin.stop()
        not_sent = send(client, form)
        standin.start()
        response = client.post(f"{not_sent.url}again/")

        assert heading(client.get(response.url)) == "Вы записаны"

    def test_not_sent_can_be_tried_again_while_its_time_can_be_booked(self, client, standin):
        form = fill_in(client, first_free(standin))
        standin.stop()
        not_sent = send(client, form)
        standin.start()
        Booking.objects.update(starts_at=F("starts_at") - timedelta(days=30))
        response = client.post(f"{not_sent.url}again/")

        assert response.url.startswith("/time/?")
        assert "записаться нельзя" in text_of(client.get(response.url))
        assert standin.count("add") == 0

    def test_what_was_sent_again_is_shown_however_late(self, client, standin):
        form = fill_in(client, first_free(standin))
        standin.stop()
        not_sent = send(client, form)
        standin.start()
        booked = client.post(f"{not_sent.url}again/")
        Booking.objects.update(starts_at=F("starts_at") - timedelta(days=30))

        assert client.post(f"{not_sent.url}again/").url == booked.url

    def test_a_booking_that_nobody_made_is_not_found(self, client):
        assert client.get("/bookings/00000000-0000-4000-8000-000000000000/").status_code == 404

    def test_without_a_category_nothing_is_booked(self, client, standin):
        form = fill_in(client, first_free(standin))
        response = send(client, form | {"category": "yacht"})

        assert response.url.startswith("/?category=yacht")
        assert standin.count("add") == 0

    def test_a_time_outside_the_horizon_is_not_sent(self, client, standin):
        form = fill_in(client, first_free(standin))
        response = send(client, form | {"start": "2031-12-02T11:00"})

        assert response.url.startswith("/time/?")
        assert standin.count("add") == 0

    def test_a_second_press_for_the_flat_leads_its_own_browser_to_the_first(self, client, standin):
        early, late = standin.free_starts(HOUSE)[:2]
        late_form = fill_in(client, late)
        first = send(client, fill_in(client, early))
        response = send(client, late_form)

        page = client.get(response.url)
        assert response.url.startswith(first.url)
        notice = text_of(page).partition('role="alert"')[2].partition("</div>")[0]
        assert "autofocus" in notice
        assert "Вы уже записаны на " in notice
        assert f"На {late:%H:%M} мы вас не записали." in notice.replace("\N{NO-BREAK SPACE}", " ")
        assert f"{first.url}move/?start={late:%Y-%m-%dT%H:%M}" in notice
        assert not offered(page)
        assert standin.count("add") == 1


class TestBooking:
    def test_the_page_never_shows_the_whole_phone(self, client, standin):
        html = text_of(client.get(send(client, fill_in(client, first_free(standin))).url))

        assert "45-67" in html
        assert "123-45-67" not in html
        assert "9001234567" not in html

    def test_it_is_private(self, client, standin):
        page = client.get(send(client, fill_in(client, first_free(standin))).url)

        assert "no-store" in page.headers["Cache-Control"]
        assert 'name="robots" content="noindex"' in text_of(page)

    def test_reading_it_changes_nothing(self, client, standin):
        url = send(client, fill_in(client, first_free(standin))).url
        client.get(url)
        client.head(url)

        assert standin.count("add") == 1
        assert Booking.objects.get().events.count() == 2


class TestWhenTheCRMIsAway:
    @pytest.mark.parametrize(
        "url",
        ["/", f"/?house={HOUSE}&flat={FLAT}", f"/time/?category=flat&house={HOUSE}&flat={FLAT}"],
    )
    def test_the_page_says_so_and_keeps_the_answers(self, client, standin, url):
        standin.stop()
        page = client.get(url)

        assert page.status_code == 503
        assert heading(page) == "Запись временно недоступна"
        assert int(page.headers["Retry-After"]) > 0
        assert "через 1\N{NO-BREAK SPACE}минуту" in text_of(page)
        assert url in links(text_of(page))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/", "GET, HEAD"), ("PUT", "/confirm/", "GET, HEAD, POST")],
)
def test_an_address_that_is_used_as_it_cannot_be_answers_in_words(client, method, path, allowed):
    response = client.generic(method, path)

    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert heading(response) == "Эту страницу так открыть нельзя"


def test_a_page_of_the_stand_in_says_so(client, standin):
    start = first_free(standin)
    booked = send(client, fill_in(client, start)).url

    for url in ("/", f"/time/?category=flat&house={HOUSE}&flat={FLAT}", booked):
        assert "Демонстрация" in text_of(client.get(url))
