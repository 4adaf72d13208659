"""A moved visit is told as moved and a called-off one as called off, wherever it is told of."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from booking import availability, retention, services, wording
from booking.models import Booking, BookingEvent, ChangeRequest, House, Outcome
from booking.models.booking import LIVE
from tests.bookings import booking, press_for, staff, tomorrow_at
from tests.journey import HOUSE, fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db

LATER = tomorrow_at(12) + timedelta(days=7)
LATER_STILL = tomorrow_at(15) + timedelta(days=14)


@pytest.fixture
def operator():
    return staff("olga", "operators")


def asked_to_move(made: Booking) -> ChangeRequest:
    return made.change_requests.create(kind="move", wish="Лучше в субботу")


def url_of(asked: ChangeRequest) -> str:
    return reverse("admin:booking_changerequest_answer", args=[asked.pk])


def moved_to(moment: datetime, **form: str) -> dict[str, str]:
    """The form of an answer, filled in."""
    new_time = {"day": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}"}
    return {"becomes": "moved", **new_time, "answer": "", **form}


def move(made: Booking, moment: datetime) -> Booking:
    asked = asked_to_move(made)
    assert services.visits.answer(asked, answer="Перенесли", by="olga", moved_to=moment)
    return made.latest()


def call_off(made: Booking) -> None:
    asked = made.change_requests.create(kind="cancel")
    assert services.visits.answer(asked, answer="Отменили", by="olga", cancels=True)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def spaced(page) -> str:
    return plain(text_of(page))


def main_of(page) -> str:
    html = spaced(page)
    return html[html.index("<main") : html.index("</main>")]


def entry(client, made: Booking):
    file = client.get(f"{made.get_absolute_url()}calendar.ics")
    (event,) = icalendar.Calendar.from_ical(file.content).walk("VEVENT")
    return event


def test_an_answer_of_staff_moves_the_visit_without_a_call(standin, client, operator):
    send(client, fill_in(client, first_free(standin)))
    made = Booking.objects.get()
    client.post(f"{made.get_absolute_url()}change/", {"kind": "move", "wish": "В субботу"})
    asked = ChangeRequest.objects.get()
    moment = made.starts_at_local + timedelta(days=3, hours=1)

    reply = operator.post(url_of(asked), moved_to(moment), follow=True)

    after = Booking.objects.latest("pk")
    when = plain(wording.for_day_at(moment))
    told = plain(text_of(reply))
    assert when in told
    assert (after.follows, after.written_by, after.outcome) == (made, "olga", "confirmed")
    assert after.starts_at == moment
    same = (
        "category",
        "house_id",
        "house_title",
        "flat",
        "phone",
        "consent",
        "source",
        "time_zone",
    )
    assert [getattr(after, name) for name in same] == [getattr(made, name) for name in same]
    assert after.key != made.key
    assert after.reference != made.reference
    assert standin.count("add") == 1
    asked.refresh_from_db()
    made.refresh_from_db()
    assert (made.state, after.state) == ("moved", "expected")
    assert plain(asked.answer) == f"Визит перенесён на {when}."
    assert [event.kind for event in made.events.all()][-2:] == ["change_answered", "moved"]
    moved = made.events.get(kind="moved")
    assert moved.facts == {"to": moment.isoformat(timespec="minutes"), "by": "olga"}
    (written,) = after.events.all()
    assert (written.kind, written.facts) == ("written", {"by": "olga", "note": asked.answer})


def test_the_browser_that_booked_is_led_to_the_new_page(standin, client):
    first, *_others, other = standin.free_starts(HOUSE)[:9]
    send(client, fill_in(client, first))
    after = move(Booking.objects.get(), LATER)

    reply = send(client, fill_in(client, other))

    assert reply.url.startswith(after.get_absolute_url())
    assert standin.count("add") == 1
    assert Booking.objects.count() == 2


class TestThePages:
    def test_a_visit_moved_there_and_back_is_not_told_as_moved(self, client):
        first = booking()
        third = move(move(first, LATER), first.starts_at_local)

        page = client.get(first.get_absolute_url())

        assert page.headers["Location"] == third.get_absolute_url()

    def test_the_old_page_tells_of_the_move_and_leads_to_the_new_one(self, client):
        made = booking()
        after = move(made, LATER)

        page = client.get(made.get_absolute_url())

        html = main_of(page)
        when = wording.for_day_at(LATER)
        assert plain(heading(page)) == (plain(f"Визит перенесён на {when}"))
        assert "<title>Визит перенесён на" in text_of(page)
        assert 'data-state="moved"' in html
        mains = re.findall(r'button--main" href="([^"]*)"', html)
        assert mains == [after.get_absolute_url()]
        assert "отмен" not in html
        assert "Выбрать другое время" not in html
        assert "Перенесли" in html
        assert after.reference not in html
        assert made.reference not in html

    def test_the_new_page_expects_the_buyer_then(self, client):
        made = booking()
        after = move(made, LATER)

        page = client.get(after.get_absolute_url())

        html = main_of(page)
        assert heading(page) == "Вы записаны"
        assert plain(wording.on_day_at(LATER)) in html
        was = plain(wording.from_day_at(made.starts_at_local))
        assert html.count(f"<p>Перенесён {was}</p>") == 1
        assert was.startswith(("с ", "со "))
        assert "отмен" not in html.replace("Перенести или отменить", "").replace(
            "перенести или отменить", ""
        ).replace("Отменить визит", "")
        assert "Попросить перенести или отменить" in html

    def test_called_off_is_told_as_called_off(self, client):
        made = booking()
        call_off(made)

        page = client.get(made.get_absolute_url())

        html = main_of(page)
        assert heading(page) == "Визит отменён"
        assert 'data-state="called_off"' in html
        assert "событие станет отменённым" in html
        assert "приезжать не нужно" in html
        assert "Ждём вас" not in html
        assert "<dt>День и время</dt>" not in html
        assert "Выбрать другое время" in html

    @pytest.mark.parametrize(
        ("change", "title"),
        [
            (call_off, "Визит отменён"),
            (
                lambda made: Booking.objects.filter(pk=made.pk).update(starts_at=timezone.now()),
                "Время этого визита прошло",
            ),
        ],
        ids=["called off", "over"],
    )
    def test_who_opens_the_old_page_later_reads_how_the_visit_stands(self, client, change, title):
        made = booking()
        after = move(made, LATER)
        change(after)

        page = client.get(made.get_absolute_url(), follow=True)

        assert page.redirect_chain == [(after.get_absolute_url(), 302)]
        assert heading(page) == title

    def test_each_page_of_a_visit_moved_twice_leads_to_the_last(self, client):
        first = booking()
        second = move(first, LATER)
        third = move(second, LATER_STILL)

        for old in (first, second):
            page = client.get(old.get_absolute_url())
            assert plain(wording.for_day_at(LATER_STILL)) in heading(page)
            assert f'button--main" href="{third.get_absolute_url()}"' in text_of(page)
        was = wording.from_day_at(LATER)
        assert f"Перенесён {was}" in text_of(client.get(third.get_absolute_url()))

    def test_what_was_moved_takes_no_wish_any_more(self, client):
        made = booking()
        move(made, LATER)
        client.post(f"{made.get_absolute_url()}change/", {"kind": "cancel"})
        # As when the page was read a moment before staff answered.
        assert not services.requests.ask(made, ChangeRequest.Kind.CANCEL, "")

        assert not ChangeRequest.objects.filter(answered_at=None).exists()

    def test_a_second_visit_of_former_days_is_no_move(self, client):
        yesterday = timezone.now() - timedelta(days=1)
        earlier = booking(starts_at=yesterday - timedelta(days=1))
        later = booking(starts_at=yesterday, follows=earlier)

        assert later.moved_from is None
        after = move(earlier, LATER)
        assert Booking.objects.get(pk=later.pk).moved_from is None
        assert after.history() == [earlier, after]
        assert "Время этого визита прошло" in text_of(client.get(later.get_absolute_url()))


class TestTheCalendarEntry:
    def test_stays_one_and_goes_to_the_new_time(self, client):
        first = booking()
        before = entry(client, first)
        second = move(first, LATER)
        moved = [entry(client, each) for each in (first, second)]
        third = move(second, LATER_STILL)
        again = [entry(client, each) for each in (first, second, third)]

        assert {each["uid"] for each in (*moved, *again)} == {before["uid"]}
        assert {each["dtstart"].dt for each in moved} == {LATER}
        assert {each["dtstart"].dt for each in again} == {LATER_STILL}
        assert all(third.get_absolute_url() in each["url"] for each in again)
        assert before["sequence"] < moved[0]["sequence"] < again[0]["sequence"]
        assert {each["status"] for each in (*moved, *again)} == {"CONFIRMED"}
        assert len(again[0].walk("VALARM")) == 2

    def test_is_cancelled_with_a_visit_that_was_moved_and_then_called_off(self, client):
        first = booking()
        second = move(first, LATER)
        moved = entry(client, first)
        call_off(second)

        for made in (first, second):
            off = entry(client, made)
            assert (off["status"], off["uid"]) == ("CANCELLED", moved["uid"])
            assert off["sequence"] > moved["sequence"]
            assert off.walk("VALARM") == []

    def test_of_a_visit_that_is_over_rings_no_bell(self, client):
        made = booking(starts_at=timezone.now() - timedelta(hours=1))

        assert entry(client, made).walk("VALARM") == []


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


def at_once(*acts: Callable[[], bool]) -> list[bool]:
    def run(act: Callable[[], bool]) -> bool:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


class TestAtOnce:
    def test_two_of_staff_move_it_once(self, transactional_db):
        made = booking()
        asked = asked_to_move(made)
        times = [LATER + timedelta(hours=number) for number in range(6)]

        def answers(moment: datetime) -> Callable[[], bool]:
            mine = ChangeRequest.objects.select_related("booking").get(pk=asked.pk)
            return lambda: services.visits.answer(mine, answer="x", by="olga", moved_to=moment)

        results = at_once(*map(answers, times))

        assert sorted(results) == [False] * 5 + [True]
        after = Booking.objects.get(pk=made.pk).latest()
        assert after.starts_at == times[results.index(True)]
        assert Booking.objects.count() == 2

    def test_one_of_staff_moves_it_and_another_calls_it_off(self, transactional_db):
        made = booking()
        asked = asked_to_move(made)
        moving, calling = (
            ChangeRequest.objects.select_related("booking").get(pk=asked.pk) for _ in range(2)
        )

        moved, called_off = at_once(
            lambda: services.visits.answer(moving, answer="x", by="olga", moved_to=LATER),
            lambda: services.visits.answer(calling, answer="x", by="anna", cancels=True),
        )

        assert moved != called_off
        made.refresh_from_db()
        assert made.state == ("moved" if moved else "called_off")
        assert Booking.objects.count() == 1 + moved

    def test_staff_and_a_buyer_do_not_both_have_the_flat(self, transactional_db, standin):
        """Free since the visit is over: who is first has it, and the other is told."""
        over = booking(starts_at=timezone.now() - timedelta(hours=1))
        asked = asked_to_move(over)
        press = press_for(over, starts_at=first_free(standin))

        def staff_move_it() -> bool:
            try:
                return services.visits.answer(asked, answer="x", by="olga", moved_to=LATER)
            except services.visits.FlatHasVisit:
                return False

        moved, booked = at_once(
            staff_move_it, lambda: services.booking.book(press).outcome == Outcome.CONFIRMED
        )

        assert moved != booked
        assert standin.count("add") == booked
        ahead = Booking.objects.filter(LIVE, starts_at__gt=timezone.now())
        assert ahead.get().holds_flat
        asked.refresh_from_db()
        assert asked.is_open != moved

    def test_after_a_move_the_flat_has_one_visit_ahead_and_then_none(self):
        made = booking(holds_flat=True)
        after = move(made, LATER)
        another = press_for(made)

        assert services.booking.in_the_way_of(another).booking == after
        call_off(after)
        assert services.booking.in_the_way_of(another).booking is None

    def test_a_wish_of_the_buyer_does_not_outlive_the_move(self, transactional_db):
        made = booking()
        asked = asked_to_move(made)

        at_once(
            lambda: services.visits.answer(asked, answer="x", by="olga", moved_to=LATER),
            *[lambda: services.requests.ask(made, ChangeRequest.Kind.CANCEL, "")] * 4,
        )

        assert not ChangeRequest.objects.filter(answered_at=None).exists()


class TestTheDesk:
    def test_the_sheet_lists_the_visit_once_at_its_new_time(self, operator):
        made = booking()
        after = move(made, LATER)
        sheet = reverse("admin:booking_day_sheet")

        old, new = (
            text_of(operator.get(sheet, {"day": day.isoformat()}))
            for day in (made.starts_at_local.date(), LATER.date())
        )

        assert made.reference not in old
        assert made.reference not in new
        assert new.count(after.reference) == 1
        assert "12:00" in new
        assert f"перенесён с {made.starts_at_local:%d.%m. %H:%M}" in new

    def test_a_move_within_the_day_is_one_line(self, operator):
        made = booking()
        after = move(made, tomorrow_at(16))

        sheet = text_of(operator.get(reverse("admin:booking_day_sheet")))

        assert (sheet.count(made.reference), sheet.count(after.reference)) == (0, 1)

    def test_the_trail_and_the_tools_tell_of_the_move(self, operator):
        made = booking()
        after = move(made, LATER)
        old, new = (
            text_of(operator.get(reverse("admin:booking_booking_change", args=[each.pk])))
            for each in (made, after)
        )

        assert f"Перенесён: запись {after.reference}" in old
        assert f"Перенесён на: {wording.day_and_time(LATER)}" in old
        assert f"Перенесён с записи {made.reference}" in new
        assert "записано сотрудником" in new
        assert "olga" in new

    @pytest.mark.parametrize("change", [call_off, lambda made: move(made, LATER)])
    def test_what_is_no_visit_any_more_is_not_moved(self, change):
        made = booking()
        change(made)
        rows = Booking.objects.count()

        assert services.visits.move(made, LATER_STILL, by="olga", note="") is None
        assert Booking.objects.count() == rows

    def test_nor_is_one_that_has_been_anonymised(self):
        made = booking()
        retention.anonymise_booking(made)

        assert services.visits.move(made, LATER, by="olga", note="") is None

    def test_it_waits_for_nobody_any_more(self):
        made = booking()
        move(made, LATER)

        assert not ChangeRequest.objects.waiting().exists()


def test_it_is_anonymised_like_any_other():
    then = timezone.now() - timedelta(days=400)
    made = booking(created_at=then, starts_at=then)
    asked = made.change_requests.create(kind="move", wish="Я Иван")
    services.visits.answer(asked, answer="Иван, хорошо", by="olga", moved_to=tomorrow_at(9))
    Booking.objects.update(created_at=then, starts_at=then, moved_at=None)
    Booking.objects.filter(pk=made.pk).update(moved_at=then)
    facts = [event.facts for event in BookingEvent.objects.all()]
    assert "Иван" in str(facts)

    assert retention.anonymise(365, by="cron") == 2

    facts = [event.facts for event in BookingEvent.objects.exclude(kind="anonymised")]
    assert "Иван" not in str(facts)
    to = tomorrow_at(9).isoformat(timespec="minutes")
    assert facts == [{"by": "olga", "called_off": False}, {"by": "olga", "to": to}, {"by": "olga"}]
