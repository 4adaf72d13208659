"""Step 3: the answers are checked, the phone is typed, the button is pressed."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client

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
    offered,
    offered_times,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db


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
