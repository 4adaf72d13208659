"""A moved visit is told as moved and a called-off one as called off, wherever it is told of."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from booking import services, wording
from booking.models import Booking, ChangeRequest
from tests.bookings import booking, staff, tomorrow_at
from tests.journey import heading, text_of
from tests.moves import (
    LATER,
    LATER_STILL,
    call_off,
    entry,
    main_of,
    move,
    plain,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return staff("olga", "operators")


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
        assert not services.change_requests.ask(made, ChangeRequest.Kind.CANCEL, "")

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
