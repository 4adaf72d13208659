"""Staff move and cancel visits: each once, and never two of a flat."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from booking import retention, services, wording
from booking.models import Booking, BookingEvent, ChangeRequest, Outcome
from booking.models.booking import LIVE
from tests.bookings import booking, press_for, staff, tomorrow_at
from tests.journey import HOUSE, fill_in, first_free, send, text_of
from tests.moves import (
    LATER,
    LATER_STILL,
    asked_to_move,
    call_off,
    move,
    moved_to,
    plain,
    url_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return staff("olga", "operators")


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


@pytest.mark.parametrize("change", [call_off, lambda made: move(made, LATER)])
def test_what_is_no_visit_any_more_is_not_moved(change):
    made = booking()
    change(made)
    rows = Booking.objects.count()

    assert services.visits.move(made, LATER_STILL, by="olga", note="") is None
    assert Booking.objects.count() == rows


def test_nor_is_one_that_has_been_anonymised():
    made = booking()
    retention.anonymise_booking(made)

    assert services.visits.move(made, LATER, by="olga", note="") is None


def test_it_waits_for_nobody_any_more():
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
            *[lambda: services.change_requests.ask(made, ChangeRequest.Kind.CANCEL, "")] * 4,
        )

        assert not ChangeRequest.objects.filter(answered_at=None).exists()
