"""What staff may answer to a buyer who asks to move or cancel a visit."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from booking import availability
from booking.models import Booking, House
from tests.bookings import booking
from tests.journey import HOUSE, first_free, text_of
from tests.moves import (
    LATER,
    asked_to_move,
    moved_to,
    spaced,
    url_of,
)

pytestmark = pytest.mark.django_db


def night_of_a_change(zone: ZoneInfo, *, forward: bool) -> date:
    """The next day on which the clocks of a zone are changed."""
    for ahead in range(1, 366):
        day = timezone.localdate() + timedelta(days=ahead)
        before, after = (datetime.combine(day, time(hour), zone).strftime("%z") for hour in (0, 12))
        if before != after and (after > before) == forward:
            return day
    raise AssertionError("no such night")


class TestTheForm:
    def test_names_the_zone(self, operator):
        page = spaced(operator.get(url_of(asked_to_move(booking()))))

        assert "по Екатеринбургу" in page
        assert 'type="date"' in page
        assert 'type="time"' in page

    @pytest.mark.parametrize(
        ("form", "told"),
        [
            (lambda made: moved_to(timezone.localtime() - timedelta(minutes=1)), "уже прошло"),
            (lambda made: moved_to(made.starts_at_local), "и так записан на это время"),
            (lambda made: moved_to(LATER + timedelta(days=400)), "проверьте год"),
            (lambda made: moved_to(LATER, day="9999-12-31", time="23:59"), "проверьте год"),
            (lambda made: moved_to(LATER, day="0001-01-01", time="00:00"), "уже прошло"),
            (lambda made: moved_to(LATER, time=""), "Укажите день и время"),
            (lambda made: moved_to(LATER, day=""), "Укажите день и время"),
            (lambda made: moved_to(LATER, time="25:00"), "Введите правильное время"),
            (lambda made: moved_to(LATER, day="завтра"), "Введите правильную дату"),
            (lambda made: moved_to(LATER, becomes="перенести"), "Выберите корректный вариант"),
            (
                lambda made: moved_to(LATER, becomes="stands", answer="Перенесли"),
                "визит перенесён?",
            ),
            (lambda made: moved_to(LATER, answer="x" * 1001), "не более 1000"),
        ],
    )
    def test_takes_no_time_that_cannot_be_meant(self, operator, form, told):
        made = booking()
        asked = asked_to_move(made)

        page = operator.post(url_of(asked), form(made))

        assert page.status_code == 200
        assert told in text_of(page)
        asked.refresh_from_db()
        assert asked.is_open
        assert Booking.objects.get().moved_at is None

    @pytest.mark.parametrize(("forward", "hour"), [(True, 2), (False, 2)], ids=["none", "twice"])
    def test_takes_no_time_that_the_clock_skips_or_has_twice(self, operator, forward, hour):
        berlin = ZoneInfo("Europe/Berlin")
        House.objects.create(house_id=HOUSE, time_zone=str(berlin))
        asked = asked_to_move(booking())
        night = datetime.combine(night_of_a_change(berlin, forward=forward), time(hour, 30))

        page = operator.post(url_of(asked), moved_to(night))

        assert "В эту ночь переводят часы" in text_of(page)
        assert Booking.objects.count() == 1

    def test_reads_the_clock_of_the_house(self, operator):
        House.objects.create(house_id=HOUSE, time_zone="Asia/Kamchatka")
        asked = asked_to_move(booking())

        operator.post(url_of(asked), moved_to(LATER.replace(hour=10, minute=30)))

        after = Booking.objects.latest("pk")
        assert after.time_zone == "Asia/Kamchatka"
        assert f"{after.starts_at_local:%H:%M}" == "10:30"
        assert after.starts_at_local.date() == LATER.date()

    def test_an_answer_of_ones_own_is_told_as_it_is(self, operator, client):
        made = booking()
        operator.post(url_of(asked_to_move(made)), moved_to(LATER, answer="Ждём с паспортом"))

        assert made.change_requests.get().answer == "Ждём с паспортом"
        assert "Ждём с паспортом" in text_of(client.get(made.get_absolute_url()))

    @pytest.mark.parametrize("looked", ["free", "taken", "not at all"])
    def test_warns_of_a_time_that_was_not_free_at_the_last_look(self, standin, operator, looked):
        start = first_free(standin)
        if looked == "taken":
            standin.hand_to_a_rival(HOUSE, start)
        if looked != "not at all":
            availability.is_free(HOUSE, start)
        made = booking()

        page = operator.post(url_of(asked_to_move(made)), moved_to(start), follow=True)

        assert ("занято или не предлагается" in text_of(page)) == (looked == "taken")
        assert Booking.objects.latest("pk").starts_at == start

    def test_a_flat_with_another_visit_ahead_keeps_it(self, operator):
        over = booking(starts_at=timezone.now() - timedelta(hours=1))
        asked = asked_to_move(over)
        ahead = booking()

        page = operator.post(url_of(asked), moved_to(LATER))

        assert "уже есть другой предстоящий визит" in text_of(page)
        asked.refresh_from_db()
        assert asked.is_open
        assert set(Booking.objects.all()) == {over, ahead}
        assert not over.events.exists()
