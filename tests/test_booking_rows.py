"""The rows of the journal by themselves: what each change writes, and when it writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import retention, services
from booking.models import Booking, BookingEvent, Outcome
from booking.models.booking import LIVE
from tests.bookings import booking, press_for

pytestmark = pytest.mark.django_db

PHONE = PhoneNumber.from_string("+79001234567")
OTHER_PHONE = PhoneNumber.from_string("+79001234568")


HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def row(values: dict[str, Any]) -> Booking:
    """A booking; a span stands for the moment that long ago."""
    now = timezone.now()
    moments = {name: now - each for name, each in values.items() if isinstance(each, timedelta)}
    return booking(**values | moments)


def trail(made: Booking) -> list[tuple[str, dict[str, Any]]]:
    return [(event.kind, event.facts) for event in made.events.all()]


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(timezone.now() - moment) < timedelta(seconds=30)


# What is kept of the answers


def test_a_row_keeps_the_number_folded_and_the_campaign_for_the_log():
    assert booking(flat="К-1.4 ").flat_folded == booking(flat="k-1.4").flat_folded
    assert len(booking(flat="\N{SQUARE ERA NAME REIWA}" * 64).flat_folded) == 64
    sources: list[dict[str, str]] = [
        {},
        {"ref": "site"},
        {"utm_source": "letter", "ref": "site"},
    ]
    assert [booking(source=source).mark for source in sources] == ["", "site", "letter"]


def test_a_visit_is_at_the_clock_of_its_house():
    made = booking(time_zone="Asia/Vladivostok", starts_at="2026-12-01T19:00Z")
    made.refresh_from_db()

    assert made.starts_at_local.isoformat() == "2026-12-02T05:00:00+10:00"


# What stands in the way of another


def test_a_live_booking_is_the_same_for_one_row_and_for_a_condition():
    marks = ("called_off_at", "moved_at", "anonymised_at")
    for number, (outcome, set_mark) in enumerate(product(Outcome.values, ("", *marks))):
        values = {set_mark: timezone.now()} if set_mark else {}
        booking(flat=str(number), outcome=outcome, **values)

    live = set(Booking.objects.filter(LIVE))

    assert live == {each for each in Booking.objects.all() if each.is_live}
    assert {each.outcome for each in live} == {"sending", "confirmed", "in_doubt"}
    assert len(live) == 3


@pytest.mark.parametrize(
    ("values", "keeps_own", "keeps_other"),
    [
        ({"outcome": "confirmed"}, True, True),
        ({"outcome": "sending"}, True, True),
        ({"outcome": "sending", "deadline_at": 29 * MINUTE}, True, True),
        ({"outcome": "sending", "deadline_at": 31 * MINUTE}, True, False),
        ({"outcome": "in_doubt", "settled_at": 29 * MINUTE}, True, True),
        ({"outcome": "in_doubt", "settled_at": 31 * MINUTE}, True, False),
        ({"outcome": "refused"}, False, False),
        ({"outcome": "not_sent"}, False, False),
        ({"outcome": "confirmed", "starts_at": MINUTE}, False, False),
        ({"outcome": "in_doubt", "settled_at": MINUTE, "starts_at": MINUTE}, False, False),
        ({"outcome": "confirmed", "called_off_at": HOUR}, False, False),
        ({"outcome": "confirmed", "moved_at": HOUR}, False, False),
        ({"outcome": "confirmed", "anonymised_at": HOUR}, False, False),
    ],
    ids=str,
)
def test_what_keeps_a_flat_from_being_booked(values, keeps_own, keeps_other):
    made = row(values)

    for phone, keeps in ((PHONE, keeps_own), (OTHER_PHONE, keeps_other)):
        standing = services.booking.in_the_way_of(press_for(made, phone=phone))
        assert standing.booking == (made if keeps else None)


@pytest.mark.parametrize(("is_free", "keeps"), [(True, False), (False, True)])
def test_a_doubt_lets_other_phones_book_when_its_time_is_seen_free(is_free, keeps):
    made = row({"outcome": "in_doubt", "settled_at": MINUTE})
    made.note(BookingEvent.Kind.EVIDENCE, {"was_free": True, "is_free": is_free})

    assert services.booking.keeps_out(made, OTHER_PHONE) is keeps
    assert services.booking.keeps_out(made, PHONE)


@pytest.mark.parametrize("changed", [{"category": "garage"}, {"house_id": "9"}, {"flat": "9"}])
def test_another_flat_is_not_kept(changed):
    made = booking()

    assert services.booking.in_the_way_of(press_for(made, **changed)).booking is None


def test_a_key_that_is_used_finds_its_booking_whatever_became_of_it():
    used = booking(outcome="refused", flat="9")
    standing = booking()
    press = press_for(standing, key=used.key)

    assert services.booking.in_the_way_of(press).booking in {used, standing}
    services.visits.cancel_visit(standing)
    assert services.booking.in_the_way_of(press).booking == used


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


# Settling


def test_an_answer_is_written_with_its_event():
    made = booking(outcome="sending")
    services.settling.settle(made, Outcome.REFUSED, "declined", {"seconds": 1.25, "message": "Нет"})

    assert (made.outcome, made.reason, made.crm_seconds) == ("refused", "declined", 1.25)
    assert is_now(made.settled_at)
    facts = {"seconds": 1.25, "message": "Нет", "reason": "declined"}
    assert trail(made) == [("refused", facts)]


@pytest.mark.parametrize("outcome", ["confirmed", "refused", "not_sent"])
def test_an_answer_that_comes_too_late_changes_nothing_but_the_trail(outcome):
    made = booking(outcome=outcome, reason="resolved", settled_at=ago(hours=1))
    before = (made.reason, made.settled_at, made.crm_seconds)
    services.settling.settle(made, Outcome.CONFIRMED, "", {"seconds": 9})

    assert made.outcome == outcome
    assert (made.reason, made.settled_at, made.crm_seconds) == before
    facts = {"seconds": 9, "reason": "", "outcome": "confirmed"}
    assert trail(made) == [("late_answer", facts)]


def test_only_the_row_itself_is_settled():
    made, other = booking(outcome="sending"), booking(outcome="sending", flat="9")
    services.settling.settle(made, Outcome.CONFIRMED, "", {})

    other.refresh_from_db()
    assert other.outcome == "sending"


@pytest.mark.parametrize(
    ("values", "is_lost"),
    [
        ({"outcome": "sending", "deadline_at": MINUTE}, True),
        ({"outcome": "sending", "deadline_at": -MINUTE}, False),
        ({"outcome": "confirmed", "deadline_at": HOUR}, False),
        ({"outcome": "in_doubt", "deadline_at": HOUR}, False),
    ],
    ids=["overdue", "in time", "confirmed", "in doubt"],
)
def test_only_a_booking_that_is_overdue_is_lost_track_of(values, is_lost):
    made = row(values)
    other = booking(outcome="sending", flat="9", deadline_at=ago(seconds=1))

    assert services.settling.mark_in_doubt(made) is is_lost
    assert made.outcome == ("in_doubt" if is_lost else values["outcome"])
    assert trail(made) == ([("in_doubt", {"reason": "deadline"})] if is_lost else [])
    if is_lost:
        assert made.reason == "deadline"
        assert is_now(made.settled_at)
    other.refresh_from_db()
    assert other.outcome == "sending"


def test_a_person_resolves_a_doubt_once():
    made = booking(outcome="in_doubt", settled_at=ago(hours=1))
    other = booking(outcome="in_doubt", flat="9")

    assert services.settling.resolve(made, was_booked=True, by="olga", note="Звонила")
    assert (made.outcome, made.reason) == ("confirmed", "resolved")
    assert is_now(made.settled_at)
    assert services.settling.resolve(made, was_booked=False, by="anna", note="") is False
    assert made.outcome == "confirmed"
    facts = {"outcome": "confirmed", "by": "olga", "note": "Звонила"}
    assert trail(made) == [("resolved", facts)]
    other.refresh_from_db()
    assert other.outcome == "in_doubt"


@pytest.mark.parametrize(
    "values",
    [
        {"outcome": "sending"},
        {"outcome": "refused"},
        {"outcome": "in_doubt", "anonymised_at": HOUR},
        {"outcome": "in_doubt", "called_off_at": HOUR},
    ],
    ids=str,
)
def test_what_is_not_in_doubt_is_not_resolved(values):
    made = row(values)

    assert not made.is_in_doubt
    assert services.settling.resolve(made, was_booked=True, by="olga", note="") is False
    assert trail(made) == []


# After it


def test_a_visit_is_called_off_once():
    made, other = booking(), booking(flat="9")
    services.visits.cancel_visit(made)
    assert is_now(made.called_off_at)
    assert (made.is_live, made.is_booked, made.is_to_come) == (False, False, False)
    before = ago(hours=1)
    Booking.objects.filter(pk=made.pk).update(called_off_at=before)

    services.visits.cancel_visit(made)

    assert made.called_off_at == before
    other.refresh_from_db()
    assert other.called_off_at is None


def test_a_visit_that_was_moved_is_not_called_off():
    made = booking(moved_at=ago(hours=1))
    services.visits.cancel_visit(made)

    assert made.called_off_at is None


@pytest.mark.parametrize("outcome", ["confirmed", "in_doubt", "refused"])
def test_only_a_refusal_is_explained(outcome):
    made, other = booking(outcome=outcome), booking(outcome="refused", flat="9")
    services.settling.set_refusal_reason(made, "slot_taken")

    assert made.reason == ("slot_taken" if outcome == "refused" else "")
    other.refresh_from_db()
    assert other.reason == ""


def test_a_row_is_anonymised_once():
    made = booking(client_address="203.0.113.7")
    assert retention.anonymise_booking(made)
    assert not retention.anonymise_booking(made)

    made.refresh_from_db()
    hashes = (retention.keyed_hash("+79001234567"), retention.keyed_hash("203.0.113.7"))
    assert (made.phone_hash, made.client_address_hash) == hashes
    assert (made.phone, made.client_address) == ("", None)
    assert is_now(made.anonymised_at)
    assert trail(made) == [("anonymised", {})]


@pytest.mark.parametrize(("hours", "booked", "to_come"), [(1, True, True), (-1, True, False)])
def test_a_visit_is_to_come_until_it_begins(hours, booked, to_come):
    made = booking(starts_at=ago(hours=-hours))

    assert (made.is_booked, made.is_to_come) == (booked, to_come)
    assert made.is_in_doubt is False
