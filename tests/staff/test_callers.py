"""Staff move and cancel visits for callers, answer with a wanted time, and correct a resolution."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from booking import services, wording
from booking.models import Booking, ChangeRequest
from tests.bookings import booking, trail
from tests.journey import HOUSE, heading, hidden_fields, links, text_of
from tests.moves import LATER, asked_to_move, entry, main_of, moved_to, plain, spaced, url_of

pytestmark = pytest.mark.django_db

NOTE = {"note": "Звонил владелец"}


def page_of(made, name):
    return reverse(f"admin:booking_booking_{name}", args=[made.pk])


class TestForACaller:
    def test_the_bookings_page_leads_there(self, operator):
        made = booking()

        assert page_of(made, "change_visit") in links(text_of(operator.get(_log_page(made))))

    def test_a_visit_is_called_off_with_a_note(self, operator, client):
        made = booking()

        operator.post(page_of(made, "change_visit"), {"becomes": "called_off", **NOTE})

        made.refresh_from_db()
        assert made.state == "called_off"
        assert trail(made) == [("called_off", {"by": "olga", **NOTE})]
        buyers = spaced(client.get(made.get_absolute_url()))
        assert "Визит отменён" in buyers
        assert "обновите календарь" in buyers
        assert NOTE["note"] not in buyers
        assert entry(client, made)["STATUS"] == "CANCELLED"

    def test_a_visit_is_moved_with_a_note(self, operator):
        made = booking()
        form = {**moved_to(LATER), **NOTE}

        reply = operator.post(page_of(made, "change_visit"), form)

        made.refresh_from_db()
        after = made.latest()
        assert (made.state, after.state, after.starts_at) == ("moved", "expected", LATER)
        assert trail(after) == [("written", {"by": "olga", **NOTE})]
        assert reply.url == _log_page(after)

    def test_a_note_is_needed(self, operator):
        made = booking()

        operator.post(page_of(made, "change_visit"), {"becomes": "called_off", "note": ""})

        made.refresh_from_db()
        assert made.state == "expected"

    def test_what_the_buyer_asks_is_answered_instead(self, operator):
        made = booking()
        asked = asked_to_move(made)

        assert operator.get(page_of(made, "change_visit")).url == url_of(asked)
        assert not services.visits.change(made, by="olga", note="-")

    @pytest.mark.parametrize("outcome", ["refused", "in_doubt", "not_sent"])
    def test_what_is_no_visit_can_not_be_changed(self, operator, outcome):
        made = booking(outcome=outcome)

        reply = operator.post(
            page_of(made, "change_visit"), {"becomes": "called_off", **NOTE}, follow=True
        )

        assert "ничего не сделано" in text_of(reply)
        assert trail(made) == []

    def test_it_needs_the_right_to_it(self, client, django_user_model):
        made = booking()
        client.force_login(django_user_model.objects.create_user("ivan", is_staff=True))

        assert client.get(page_of(made, "change_visit")).status_code == 403
        assert client.get(page_of(made, "correct")).status_code == 403


class TestAWantedTime:
    @pytest.fixture
    def asked(self, standin) -> ChangeRequest:
        made = booking()
        services.change_requests.ask(
            made, ChangeRequest.Kind.MOVE, wanted_at=standin.free_starts(HOUSE)[7]
        )
        return ChangeRequest.objects.get()

    def test_the_queue_names_it_by_the_clock_of_the_house(self, operator, asked):
        Booking.objects.update(time_zone="Asia/Kamchatka")
        there = asked.wanted_at.astimezone(ZoneInfo("Asia/Kamchatka"))

        page = spaced(operator.get(reverse("admin:booking_needs_a_look")))

        assert f"({plain(wording.day_and_time(there))})" in page

    def test_it_is_seen_at_once_whether_it_is_free(self, operator, standin, asked):
        assert "сейчас свободно" in text_of(operator.get(url_of(asked)))

        standin.hand_to_a_rival(HOUSE, asked.wanted_at)
        assert "сейчас занято" in text_of(operator.get(url_of(asked)))

        standin.stop()
        assert "CRM не отвечает" in text_of(operator.get(url_of(asked)))

    def test_one_press_answers_that_it_is_moved(self, operator, asked):
        page = text_of(operator.get(url_of(asked)))
        start = asked.wanted_at.astimezone(asked.booking.starts_at_local.tzinfo)
        assert f'value="{start:%Y-%m-%d}"' in page
        assert f'value="{start:%H:%M}"' in page

        operator.post(url_of(asked), hidden_fields(page) | moved_to(start))

        asked.booking.refresh_from_db()
        assert asked.booking.latest().starts_at == asked.wanted_at
        assert Booking.objects.latest("pk").written_by == "olga"


class TestACorrection:
    def resolved(self, *, was_booked):
        made = booking(outcome="in_doubt", reason="no_answer")
        services.settling.resolve(made, was_booked=was_booked, by="ivan", note="Не там смотрел")
        return made

    @pytest.mark.parametrize(
        ("was_booked", "outcome", "title"),
        [(True, "refused", "Записаться не получилось"), (False, "confirmed", "Вы записаны")],
    )
    def test_the_page_tells_the_change(self, operator, client, was_booked, outcome, title):
        made = self.resolved(was_booked=was_booked)
        assert page_of(made, "correct") in links(text_of(operator.get(_log_page(made))))

        operator.post(page_of(made, "correct"), NOTE)

        made.refresh_from_db()
        assert (made.outcome, made.reason) == (outcome, "resolved")
        assert trail(made)[-1] == ("corrected", {"outcome": outcome, "by": "olga", **NOTE})
        assert [kind for kind, _facts in trail(made)] == ["resolved", "corrected"]
        page = client.get(made.get_absolute_url())
        assert heading(page) == title
        assert "Это наша ошибка" in main_of(page)

    def test_a_correction_can_be_corrected(self, operator):
        made = self.resolved(was_booked=True)
        for _ in range(2):
            operator.post(page_of(made, "correct"), NOTE)

        made.refresh_from_db()
        assert made.outcome == "confirmed"

    def test_what_the_crm_said_is_not_corrected(self, operator):
        made = booking()

        operator.post(page_of(made, "correct"), NOTE)

        made.refresh_from_db()
        assert (made.outcome, trail(made)) == ("confirmed", [])

    def test_a_visit_that_was_not_moved_after_all_stands_again(self, operator):
        visit = booking()
        move = booking(outcome="in_doubt", reason="no_answer", follows=visit, starts_at=LATER)
        services.settling.resolve(move, was_booked=True, by="ivan", note="-")
        visit.refresh_from_db()
        assert visit.state == "moved"

        operator.post(page_of(move, "correct"), NOTE)

        visit.refresh_from_db()
        move.refresh_from_db()
        assert (visit.state, move.state) == ("expected", "refused")

    def test_two_visits_of_a_flat_need_a_look(self, operator):
        made = self.resolved(was_booked=False)
        booking(starts_at=LATER)

        operator.post(page_of(made, "correct"), NOTE)

        page = text_of(operator.get(reverse("admin:booking_needs_a_look")))
        assert page.count(made.reference) >= 1


def _log_page(made: Booking) -> str:
    return reverse("admin:booking_booking_change", args=[made.pk])
