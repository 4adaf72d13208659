"""Visits moved by a second `add` (MACROCRM_ADD_MOVES): the old one stands until it is confirmed."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from booking import services
from booking.models import Booking
from booking.rate_limits import TooManyTries
from booking.services.booking import VisitChanged, book
from standin.fixtures import REFUSED_PHONE
from tests.bookings import trail
from tests.journey import HOUSE
from tests.moves import call_off
from tests.presses import other_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(standin, press) -> Booking:
    standin.switch(second_add="moves")
    return book(press)


@pytest.fixture
def later(standin, visit):
    """A free time some hours after the visit."""
    return standin.free_starts(HOUSE)[6]


def moved(visit, start, **changes):
    usual: dict[str, Any] = {"key": uuid.uuid4(), "client_address": "198.51.100.9"}
    made = services.booking.move(visit, start, **usual | changes)
    visit.refresh_from_db()
    return made


def test_a_confirmed_move_is_one_call_and_one_visit(standin, visit, later):
    made = moved(visit, later)

    assert (visit.state, made.state) == ("moved", "expected")
    assert made.starts_at == later
    assert (made.follows, made.moved_from, visit.latest()) == (visit, visit, made)
    assert standin.count("add") == 2
    assert standin.ledger[-1].replaces == standin.ledger[0].sequence
    kind, facts = trail(visit)[-1]
    assert (kind, facts) == ("moved", {"to": later.isoformat(timespec="minutes")})


def test_a_refused_move_leaves_the_visit(standin, visit, later):
    standin.switch(second_add="refused")

    made = moved(visit, later)

    assert (visit.state, made.state) == ("expected", "refused")
    assert visit.pending_move() is None
    assert made.is_move


def test_a_taken_time_is_not_asked_for(standin, visit, later):
    standin.hand_to_a_rival(HOUSE, later)

    made = moved(visit, later)

    assert (visit.state, made.state, made.reason) == ("expected", "refused", "slot_taken")
    assert standin.count("add") == 1


def test_a_move_that_was_not_sent_leaves_the_visit_and_can_be_sent_again(standin, visit, later):
    standin.stop()
    made = moved(visit, later)
    assert (visit.state, made.state) == ("expected", "not_sent")
    standin.start()

    again = services.booking.book_again(made, None)
    assert again is not None

    visit.refresh_from_db()
    assert (visit.state, again.state, again.moved_from) == ("moved", "expected", visit)


@pytest.mark.parametrize(
    ("was_booked", "states"), [(True, ("moved", "expected")), (False, ("expected", "refused"))]
)
def test_a_move_in_doubt_is_found_out_by_staff(standin, visit, later, was_booked, states):
    standin.fail("add", "drop_after_write")
    made = moved(visit, later)
    assert (visit.state, made.state) == ("expected", "in_doubt")
    assert visit.pending_move() == made

    assert services.settling.resolve(made, was_booked=was_booked, by="olga", note="CRM")

    visit.refresh_from_db()
    assert (visit.state, made.state) == states
    assert visit.pending_move() is None


def test_while_a_move_is_in_doubt_there_is_no_second_one(standin, visit, later):
    standin.fail("add", "drop_after_write")
    doubt = moved(visit, later)

    assert moved(visit, later + timedelta(minutes=30)) == doubt
    assert standin.count("add") == 2


def test_the_same_press_twice_is_one_call(standin, visit, later):
    key = uuid.uuid4()

    assert moved(visit, later, key=key) == moved(visit, later, key=key)
    assert standin.count("add") == 2


def test_sent_at_once_it_is_one_call(standin, visit, later, transactional_db):
    def send(_):
        try:
            return services.booking.move(visit, later, key=uuid.uuid4(), client_address=None)
        except (TooManyTries, VisitChanged) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))

    assert standin.count("add") == 2
    expected = [each for each in Booking.objects.all() if each.state == "expected"]
    assert [each.starts_at for each in expected] == [later]


def test_a_visit_called_off_meanwhile_is_not_moved(standin, visit, later):
    stale = Booking.objects.get()
    call_off(visit)

    with pytest.raises(VisitChanged):
        moved(stale, later)
    assert standin.count("add") == 1


def test_another_phone_still_meets_the_visit(standin, visit, later, press):
    moved(visit, later)

    stranger = book(other_phone(press))

    assert (stranger.outcome, stranger.reason) == ("refused", "has_visit")
    assert standin.count("add") == 2


def test_a_visit_can_be_moved_again_and_back(standin, visit, later):
    first = moved(visit, later)
    back = moved(first, visit.starts_at_local)

    assert [each.state for each in (visit, first, back)] == ["moved", "moved", "expected"]
    assert visit.latest() == back
    assert back.history() == [visit, first, back]


def test_an_old_row_that_only_followed_is_no_move(standin, visit, later):
    """Rows written before visits had a state follow an earlier, past visit of the flat."""
    yesterday = timezone.now() - timedelta(days=1)
    Booking.objects.filter(pk=visit.pk).update(starts_at=yesterday)
    visit.refresh_from_db()
    doubt = Booking(
        **visit.same_flat,
        key=uuid.uuid4(),
        outcome="in_doubt",
        follows=visit,
        starts_at=later,
        time_zone=visit.time_zone,
        phone=REFUSED_PHONE,
        deadline_at=timezone.now(),
    )
    doubt.save()

    services.settling.resolve(doubt, was_booked=True, by="olga", note="CRM")

    visit.refresh_from_db()
    assert visit.state == "over"
    assert doubt.moved_from is None
