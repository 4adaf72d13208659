"""The rows of the journal by themselves."""

from __future__ import annotations

from itertools import product

import pytest
from django.utils import timezone

from booking.models import LIVE, Booking, Outcome
from tests.bookings import ago, booking

pytestmark = pytest.mark.django_db


def test_a_row_keeps_the_number_folded_and_the_campaign_for_the_log():
    assert booking(flat="К-1.4 ").flat_folded == booking(flat="k-1.4").flat_folded
    assert len(booking(flat="\N{SQUARE ERA NAME REIWA}" * 64).flat_folded) == 64
    sources: list[dict[str, str]] = [
        {},
        {"ref": "site"},
        {"utm_source": "letter", "ref": "site"},
    ]
    assert [booking(source=source).campaign for source in sources] == ["", "site", "letter"]


def test_a_visit_is_at_the_clock_of_its_house():
    made = booking(time_zone="Asia/Vladivostok", starts_at="2026-12-01T19:00Z")
    made.refresh_from_db()

    assert made.starts_at_local.isoformat() == "2026-12-02T05:00:00+10:00"


def test_a_live_booking_is_the_same_for_one_row_and_for_a_condition():
    marks = ("called_off_at", "moved_at", "anonymised_at")
    for number, (outcome, set_mark) in enumerate(product(Outcome.values, ("", *marks))):
        values = {set_mark: timezone.now()} if set_mark else {}
        booking(flat=str(number), outcome=outcome, **values)

    live = set(Booking.objects.filter(LIVE))

    assert live == {each for each in Booking.objects.all() if each.is_live}
    assert {each.outcome for each in live} == {"sending", "confirmed", "in_doubt"}
    assert len(live) == 3


def test_what_else_of_its_flat_is_booked_is_beside_a_doubt():
    before, doubt, after, refused = (
        booking(outcome=outcome, created_at=ago(minutes=minutes))
        for outcome, minutes in (
            ("confirmed", 3),
            ("in_doubt", 2),
            ("confirmed", 1),
            ("refused", 0),
        )
    )
    booking(flat="9")

    assert set(Booking.objects.beside(doubt)) == {before, after}
    assert refused not in Booking.objects.beside(doubt)


@pytest.mark.parametrize(("hours", "booked", "to_come"), [(1, True, True), (-1, True, False)])
def test_a_visit_is_to_come_until_it_begins(hours, booked, to_come):
    made = booking(starts_at=ago(hours=-hours))

    assert (made.is_booked, made.is_to_come) == (booked, to_come)
    assert made.is_in_doubt is False
