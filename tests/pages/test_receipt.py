"""The booking's own page: what it tells, the calendar entry, and wishes to move or cancel."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from django.utils import timezone

from booking import services
from booking.models import Booking, ChangeRequest, House
from standin.fixtures import REFUSED_PHONE
from tests.journey import (
    HOUSE,
    answers,
    fill_in,
    first_free,
    heading,
    hidden_fields,
    links,
    offered_times,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db

PHONE = "8 900 123-45-67"


@pytest.fixture
def booking(standin, client) -> Booking:
    send(client, fill_in(client, first_free(standin)))
    return Booking.objects.get()


@pytest.fixture
def known_house(booking) -> House:
    return House.objects.create(
        house_id=HOUSE,
        address="Екатеринбург, ул. Таёжная, 14",
        map_url="https://maps.example.test/14",
        directions="Вход со двора, подъезд 2",
        bring="паспорт\nдоговор\nрулетка",
        visit_minutes=90,
        phone="+7 343 111-11-11",
    )


class TestWhatItTells:
    def test_everything_a_visitor_needs(self, client, booking, known_house):
        page = client.get(booking.get_absolute_url())
        html = text_of(page).replace("\N{NO-BREAK SPACE}", " ")

        for told in (
            "ул. Таёжная, 14",
            "https://maps.example.test/14",
            "подъезд 2",
            "рулетка",
            "около полутора часов",
            "+7 343 111-11-11",
            booking.reference,
        ):
            assert told in html

    @pytest.mark.parametrize(("slots", "lasts"), [(3, timedelta(minutes=90)), (1, None)])
    def test_a_visit_of_several_slots_has_an_end(self, client, booking, settings, slots, lasts):
        settings.BOOKING_VISIT_SLOTS = slots
        html = text_of(client.get(booking.get_absolute_url())).replace("\N{NO-BREAK SPACE}", " ")

        start = booking.starts_at_local
        if lasts:
            assert f"с {start:%H:%M} до {start + lasts:%H:%M}" in html
            assert "около полутора часов" in html
        else:
            assert f", {start:%H:%M}<" in html
            assert "Сколько это займёт" not in html

    def test_without_anything_known_of_the_house_it_is_whole(self, client, booking):
        html = text_of(client.get(booking.get_absolute_url()))

        assert "паспорт" in html
        assert "None" not in html

    def test_a_visit_that_is_over_is_not_expected_any_more(self, client, booking):
        Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))

        html = text_of(client.get(booking.get_absolute_url()))
        assert "Время этого визита прошло" in html
        assert "Ждём вас" not in html
        assert "Вы записаны" not in html
        assert "Что взять с собой" not in html
        assert "Добавить в календарь" not in html
        assert "Попросить перенести" not in html

    def test_after_a_visit_one_may_book_another(self, client, booking, standin):
        standin.switch(second_add="adds")
        Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))
        (again,) = [
            link
            for link in links(text_of(client.get(booking.get_absolute_url())))
            if link.startswith("/time/")
        ]

        time = offered_times(client.get(again))[0]
        form = hidden_fields(text_of(client.get(time))) | {"phone": PHONE, "consent": "on"}

        assert heading(client.get(send(client, form).url)) == "Вы записаны"
        assert Booking.objects.count() == 2


class TestRefused:
    def main_button(self, client, booking, reason):
        Booking.objects.update(outcome="refused", reason=reason)
        html = text_of(client.get(booking.get_absolute_url()))
        (label,) = re.findall(r'button--main" href="[^"]*">([^<]*)', html)
        return label

    @pytest.mark.parametrize(
        ("reason", "label"),
        [
            ("busy", "Попробовать ещё раз"),
            ("misconfigured", "Попробовать ещё раз"),
            ("resolved", "Записаться ещё раз"),
            ("slot_taken", "Выбрать другое время"),
        ],
    )
    def test_the_button_agrees_with_the_reason(self, client, booking, reason, label):
        assert self.main_button(client, booking, reason) == label

    @pytest.mark.parametrize("reason", ["no_match", "declined", "has_visit"])
    def test_the_phone_is_mended_in_place(self, client, standin, reason):
        form = fill_in(client, first_free(standin), phone=REFUSED_PHONE)
        refused = send(client, form).url
        Booking.objects.update(reason=reason)
        page = text_of(client.get(refused))

        assert "765-43-21" not in page
        form = hidden_fields(page) | {"phone": PHONE, "consent": "on"}
        assert heading(client.get(send(client, form).url)) == "Вы записаны"

    def test_a_time_that_has_passed_is_not_asked_for_again(self, client, booking):
        past = timezone.now() - timedelta(hours=1)
        Booking.objects.update(outcome="refused", reason="no_match", starts_at=past)
        page = text_of(client.get(booking.get_absolute_url()))

        assert 'name="phone"' not in page
        assert f"/time/?category=flat&amp;house={HOUSE}" in page


class TestCalendar:
    def file(self, client, booking):
        reply = client.get(f"{booking.get_absolute_url()}calendar.ics")
        assert reply.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert reply.headers["X-Robots-Tag"] == "noindex"
        return reply.content

    def entry(self, client, booking):
        (event,) = icalendar.Calendar.from_ical(self.file(client, booking)).walk("VEVENT")
        return event

    def call_off(self, booking):
        ask = ChangeRequest.objects.create(booking=booking, kind="cancel")
        services.visits.answer(ask, answer="Отменили", by="olga", cancels=True)

    def test_the_visit_is_at_its_wall_time_in_its_zone(self, client, booking, known_house):
        event = self.entry(client, booking)

        assert event["dtstart"].dt == booking.starts_at
        assert event["dtstart"].params["TZID"] == "Asia/Yekaterinburg"
        assert event["duration"].dt == timedelta(minutes=90)
        assert "Таёжная" in event["location"]

    @pytest.mark.parametrize(("slots", "minutes"), [(None, 60), (3, 90)])
    def test_without_a_length_from_staff_it_is_as_long_as_its_slots(
        self, client, booking, slots, minutes
    ):
        House.objects.create(house_id=HOUSE, visit_slots=slots)

        assert self.entry(client, booking)["duration"].dt == timedelta(minutes=minutes)

    @pytest.mark.parametrize(
        ("zone", "offset"), [("Asia/Yekaterinburg", "+0500"), ("Europe/Berlin", "+0200")]
    )
    def test_the_zone_is_defined_in_the_file_as_it_is_these_days(
        self, client, booking, zone, offset
    ):
        Booking.objects.update(time_zone=zone, starts_at=datetime(2027, 7, 1, 9, tzinfo=UTC))
        body = self.file(client, booking).decode()

        zone_alone = body.partition("BEGIN:VTIMEZONE")[2].partition("END:VTIMEZONE")[0]
        assert f"TZID:{zone}" in zone_alone
        assert zone_alone.count("TZOFFSETTO") == 1
        assert f"TZOFFSETTO:{offset}" in zone_alone

    def test_it_is_no_message_of_an_organiser(self, client, booking):
        """RFC 5546 wants one beside a METHOD."""
        assert b"METHOD" not in self.file(client, booking)

    def test_cyrillic_is_folded_at_75_octets_between_letters(self, client, booking, known_house):
        lines = self.file(client, booking).split(b"\r\n")

        assert max(map(len, lines)) <= 75
        assert [line.decode("utf-8") for line in lines]
        assert sum(line.startswith(b" ") for line in lines) > 3

    def test_punctuation_is_escaped(self, client, booking):
        House.objects.create(
            house_id=HOUSE, address=r"Тихая, 1; двор \ арка", directions="Налево\nНаправо"
        )
        body = self.file(client, booking).replace(b"\r\n ", b"").decode()

        assert r"Тихая\, 1\; двор \\ арка" in body
        assert r"Налево\nНаправо" in body
        event = self.entry(client, booking)
        assert r"Тихая, 1; двор \ арка" in event["location"]
        assert "Налево\nНаправо" in event["description"]

    def test_it_reminds_a_day_and_two_hours_before(self, client, booking):
        alarms = self.entry(client, booking).walk("VALARM")

        assert [alarm["trigger"].dt for alarm in alarms] == [
            -timedelta(days=1),
            -timedelta(hours=2),
        ]

    def test_asked_twice_it_is_the_same_entry(self, client, booking):
        first, second = self.entry(client, booking), self.entry(client, booking)

        assert first["uid"] == second["uid"]

    def test_asked_later_it_is_a_newer_revision(self, client, booking):
        first = self.entry(client, booking)
        Booking.objects.update(created_at=booking.created_at - timedelta(minutes=1))
        second = self.entry(client, booking)

        assert second["sequence"] > first["sequence"]
        assert second["last-modified"].dt >= first["last-modified"].dt

    def test_a_visit_called_off_is_cancelled_in_the_calendar_too(self, client, booking):
        booked = self.entry(client, booking)
        self.call_off(booking)
        called_off = self.entry(client, booking)

        assert (booked["status"], called_off["status"]) == ("CONFIRMED", "CANCELLED")
        assert called_off["uid"] == booked["uid"]
        assert called_off["sequence"] > booked["sequence"]
        assert called_off.walk("VALARM") == []
        page = text_of(client.get(booking.get_absolute_url()))
        assert "Обновить календарь" in page
        assert f"{booking.get_absolute_url()}calendar.ics" in links(page)

    def test_only_a_booked_visit_has_one(self, client, booking):
        Booking.objects.update(outcome="in_doubt")

        assert client.get(f"{booking.get_absolute_url()}calendar.ics").status_code == 404


class TestWishes:
    def ask(self, client, booking, **form):
        return client.post(f"{booking.get_absolute_url()}change/", form)

    def test_a_wish_lands_with_staff_and_its_answer_on_the_page(self, client, booking):
        reply = self.ask(client, booking, kind="move", wish="Лучше в субботу")
        assert reply.url == f"{booking.get_absolute_url()}#change"
        assert "Мы ответим на этой странице" in text_of(client.get(reply.url))

        request = ChangeRequest.objects.get()
        services.visits.answer(request, answer="Перенесли на субботу", by="olga", cancels=False)

        html = text_of(client.get(reply.url))
        assert "Перенесли на субботу" in html
        assert "Лучше в субботу" in html
        assert [e.kind for e in booking.events.all()][-2:] == ["change_asked", "change_answered"]

    def test_it_tells_when_by_the_clock_of_the_house(self, client, booking):
        Booking.objects.update(time_zone="Asia/Vladivostok")
        self.ask(client, booking, kind="move")
        asked_at = datetime(2020, 11, 24, 18, 22, tzinfo=UTC)
        ChangeRequest.objects.update(asked_at=asked_at)

        html = text_of(client.get(booking.get_absolute_url())).replace("\N{NO-BREAK SPACE}", " ")
        assert "25 ноября 2020 в 04:22 вы попросили перенести визит" in html

    def test_only_one_waits_at_a_time(self, client, booking):
        self.ask(client, booking, kind="move")
        self.ask(client, booking, kind="cancel")

        assert ChangeRequest.objects.count() == 1

    def test_a_get_asks_for_nothing(self, client, booking):
        page = client.get(f"{booking.get_absolute_url()}change/?kind=cancel")

        assert (page.status_code, page.headers["Location"]) == (302, booking.get_absolute_url())
        assert not ChangeRequest.objects.exists()

    def test_an_incomplete_wish_keeps_what_was_typed(self, client, booking):
        page = self.ask(client, booking, wish="Лучше в субботу")

        html = text_of(page)
        assert "Выберите, перенести или отменить визит" in html
        assert "Лучше в субботу" in html
        assert not ChangeRequest.objects.exists()

    def test_a_visit_called_off_says_so_and_makes_room(self, client, booking, standin):
        standin.switch(second_add="moves")
        self.ask(client, booking, kind="cancel")
        services.visits.answer(
            ChangeRequest.objects.get(), answer="Отменили", by="olga", cancels=True
        )

        page = client.get(booking.get_absolute_url())
        assert heading(page) == "Визит отменён"
        assert "Перенести или отменить визит" not in text_of(page)
        assert "Ваша просьба" in text_of(page)
        start = standin.free_starts(HOUSE)[4]
        assert client.get("/confirm/", answers(start)).status_code == 200
        booked = send(client, fill_in(client, start))
        assert heading(client.get(booked.url)) == "Вы записаны"
        assert booked.url != booking.get_absolute_url()

    def test_a_booking_that_is_not_booked_takes_none(self, client, booking):
        Booking.objects.update(outcome="refused")
        self.ask(client, booking, kind="cancel")

        assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize("button", ["again", "change"])
def test_the_address_of_a_button_leads_back_to_the_page(client, booking, button):
    response = client.get(f"{booking.get_absolute_url()}{button}/")

    assert (response.status_code, response.headers["Location"]) == (302, booking.get_absolute_url())
