"""A flat has one visit ahead, and only its own browser learns of it."""

from __future__ import annotations

import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone
from phonenumber_field.phonenumber import PhoneNumber

from booking import availability, services
from booking.models import Booking, BookingEvent
from booking.rate_limits import TooManyTries
from booking.services.booking import book
from standin.fixtures import REFUSED_PHONE
from tests.bookings import HOUR, MINUTE, booking, press_for, row
from tests.journey import FLAT, HOUSE
from tests.presses import another, kinds, later, other_phone, under_way, wrong

pytestmark = pytest.mark.django_db

PHONE = PhoneNumber.from_string("+79001234567")
OTHER_PHONE = PhoneNumber.from_string("+79001234568")


# What keeps a flat


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


def test_a_visit_that_is_over_does_not_stand_in_the_way(standin, press):
    standin.switch(second_add="adds")
    first = book(press)
    Booking.objects.update(starts_at=timezone.now() - timedelta(days=1))

    second = book(another(press, starts_at=later(press)))

    assert second != first
    assert second.outcome == "confirmed"


@pytest.mark.parametrize("other", ["the same phone", "another owner", "a stranger"])
def test_another_browser_does_not_book_a_flat_that_has_a_visit(standin, press, other):
    standin.switch(second_add="adds")
    first = book(press)
    late = another(press, starts_at=later(press))
    phones = {"another owner": other_phone(press).phone, "a stranger": REFUSED_PHONE}

    tried = book(replace(late, phone=phones.get(other, press.phone)))

    assert (tried.outcome, tried.reason) == ("refused", "has_visit")
    assert kinds(tried) == ["refused"]
    assert tried != first
    assert standin.count("add") == 1


def test_owners_who_press_at_once_are_one_call(standin, press, transactional_db):
    standin.switch(second_add="adds")
    starts = standin.free_starts(HOUSE)[:4]
    owners = (other_phone(press), another(press)) * 2
    presses = [
        replace(owner, key=uuid.uuid4(), starts_at=start)
        for owner, start in zip(owners, starts, strict=True)
    ]

    def send(one):
        try:
            return book(one).outcome
        except TooManyTries as error:
            return error.limit
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(send, presses))

    assert outcomes.count("confirmed") == 1
    assert set(outcomes) <= {"confirmed", "refused", "flat_is_being_booked"}
    assert standin.count("add") == 1


def test_the_database_lets_one_booking_hold_a_flat(press):
    holding = replace(press).to_booking()
    holding.holds_flat = True
    holding.save()
    second = other_phone(press).to_booking()
    second.holds_flat = True

    with pytest.raises(IntegrityError, match=r"one_booking_holds_a_flat|booking\.flat"):
        second.save()


def test_after_it_is_called_off_a_flat_is_free_again(standin, press):
    standin.switch(second_add="adds")
    services.visits.cancel_visit(book(press))

    second = book(replace(other_phone(press), starts_at=later(press)))

    assert second.outcome == "confirmed"


def test_a_doubt_keeps_other_phones_out_for_half_an_hour(standin, press):
    standin.switch(second_add="adds")
    standin.fail("add", "write_then_500", times=1)
    book(press)
    late = replace(other_phone(press), starts_at=later(press))

    assert book(late).reason == "has_visit"
    Booking.objects.filter(outcome="in_doubt").update(
        settled_at=timezone.now() - timedelta(minutes=31)
    )
    assert book(replace(late, key=uuid.uuid4())).outcome == "confirmed"


def test_a_doubt_whose_time_is_seen_free_lets_other_phones_book(standin, press):
    standin.fail("add", "drop_before_reply", times=1)
    doubt = book(wrong(press))
    assert doubt.outcome == "in_doubt"

    assert book(another(press)).outcome == "confirmed"


def test_a_doubt_keeps_its_own_phone_out_until_the_visit_is_over(standin, press):
    standin.fail("add", "drop_before_reply", times=1)
    book(press)
    Booking.objects.update(settled_at=timezone.now() - timedelta(hours=5))

    again = book(another(press, starts_at=later(press)))

    assert again.reason == "has_visit"
    assert standin.count("add") == 1


def test_a_press_lost_by_its_worker_becomes_a_doubt_that_lets_go(standin, press):
    lost = under_way(press, deadline=timedelta(minutes=-31))

    assert book(other_phone(press)).outcome == "confirmed"
    lost.refresh_from_db()
    assert lost.outcome == "sending"
    assert [each.pk for each in services.settling.settle_overdue()] == [lost.pk]


def test_an_owner_is_not_refused_for_a_press_that_has_no_answer_yet(standin, press):
    under_way(wrong(press), deadline=timedelta(minutes=1))

    with pytest.raises(TooManyTries, match="flat_is_being_booked"):
        book(other_phone(press))

    assert Booking.objects.count() == 1
    assert standin.count("add") == 0


# A refusal without a call looks like one of the CRM


def test_while_it_lasts_a_refusal_without_a_call_looks_like_a_call(standin, press, monkeypatch):
    book(press)
    refused = book(replace(other_phone(press), flat="1.8-12-2", starts_at=later(press)))
    assert refused.reason == "no_match"
    tried = replace(other_phone(press), starts_at=later(press), client_address="198.51.100.1")
    tab = replace(tried, key=uuid.uuid4())
    seen = []

    def look(_seconds):
        under_way = Booking.objects.get(key=tried.key)
        seen.append((under_way.outcome, book(tab)))

    monkeypatch.setattr(time, "sleep", look)
    booking = book(tried)

    assert seen == [("sending", booking)]
    assert (booking.outcome, booking.reason) == ("refused", "has_visit")
    assert standin.count("add") == 2


def test_left_by_its_worker_such_a_press_is_refused(standin, press, monkeypatch):
    book(press)
    book(replace(other_phone(press), flat="1.8-12-2", starts_at=later(press)))
    tried = replace(other_phone(press), starts_at=later(press))

    def die(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", die)
    with pytest.raises(KeyboardInterrupt):
        book(tried)
    Booking.objects.filter(key=tried.key).update(deadline_at=timezone.now())

    assert services.settling.settle_overdue() == []
    found = Booking.objects.get(key=tried.key)
    assert (found.outcome, found.reason) == ("refused", "has_visit")


def test_while_the_day_cannot_be_read_it_ends_as_a_call_would(standin, press):
    book(press)
    standin.stop()
    availability.forget(HOUSE, press.starts_at.date())

    tried = book(replace(other_phone(press), starts_at=later(press)))

    assert (tried.outcome, tried.reason) == ("not_sent", "unreachable")


def test_a_refusal_without_a_call_takes_as_long_as_one_of_the_crm(standin, press, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    book(press)
    Booking.objects.update(created_at=timezone.now() - timedelta(days=3))
    refused = book(replace(other_phone(press), flat="1.8-12-2", starts_at=later(press)))
    assert refused.reason == "no_match"
    Booking.objects.filter(pk=refused.pk).update(crm_seconds=2)

    book(replace(other_phone(press), starts_at=later(press)))

    # All in all: what has passed meanwhile is waited for no more.
    [waited] = waits
    assert 1 < waited < 2


def test_neither_a_refusal_without_a_call_nor_one_of_the_crm_has_the_day_read_anew(standin, press):
    book(press)
    reads = []
    for flat in ("1.8-12-2", FLAT):
        tried = replace(other_phone(press), key=uuid.uuid4(), flat=flat, starts_at=later(press))
        assert book(tried).outcome == "refused"
        before = standin.count("getFreeTimes")
        availability.is_offered(press.house, tried.starts_at)
        reads.append(standin.count("getFreeTimes") - before)

    assert reads == [0, 0]


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """How long each wait would have been."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def refused_before(**values: Any) -> Booking:
    usual = {"outcome": "refused", "reason": "no_match", "flat": "9", "crm_seconds": 0.7}
    return booking(**usual | values)


def test_a_refusal_without_a_call_is_like_one_of_the_last_ten(
    standin, addressed, slept, monkeypatch
):
    book(addressed)
    for number in range(12):
        then = timezone.now() - timedelta(hours=number + 2)
        refused_before(crm_seconds=float(number), created_at=then)
    refused_before(crm_seconds=None)
    seen: list[list[float]] = []

    def first(rows: list[Booking]) -> Booking:
        seen.append([float(row.crm_seconds or 0) for row in rows])
        return rows[0]

    monkeypatch.setattr(random, "choice", first)
    book(another(wrong(addressed), starts_at=later(addressed)))

    assert seen == [[float(number) for number in range(10)]]
    assert slept == [0.0]


def test_it_waits_no_longer_than_a_call_may_take(standin, addressed, slept, settings):
    settings.MACROCRM_CONNECT_TIMEOUT, settings.MACROCRM_READ_TIMEOUT = 2.0, 5.0
    book(addressed)
    refused_before(crm_seconds=1000.0, created_at=timezone.now() - timedelta(hours=2))

    book(another(wrong(addressed), starts_at=later(addressed)))

    [waited] = slept
    assert 3 < waited < 7


@pytest.mark.parametrize(("reason", "looks"), [("declined", 1), ("no_match", 0)])
def test_it_looks_at_the_time_if_that_one_did(standin, addressed, slept, reason, looks):
    book(addressed)
    refused_before(reason=reason, created_at=timezone.now() - timedelta(hours=2))
    assert availability.is_offered(addressed.house, later(addressed))
    before = standin.count("getFreeTimes")

    book(another(wrong(addressed), starts_at=later(addressed)))

    assert standin.count("getFreeTimes") == before + looks
