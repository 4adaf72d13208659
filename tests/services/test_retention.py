"""Old bookings become nobody's, for good, and still count."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from booking import retention, services
from booking.models import Booking, BookingEvent, ChangeRequest, StaffEvent
from tests.bookings import booking, is_now, press_for, trail
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


def old(**values: Any) -> Booking:
    then = timezone.now() - LONG_AGO
    usual = {"created_at": then, "starts_at": then, "client_address": "203.0.113.7"}
    return booking(**usual | values)


def run(**options: Any) -> str:
    said = StringIO()
    call_command("anonymise_bookings", stdout=said, **{"older_than": 365} | options)
    return said.getvalue()


def with_all_texts(made: Booking) -> Booking:
    made.note(
        BookingEvent.Kind.REFUSED,
        {"message": "Иван Петров, +79001234567", "status_code": 403, "reference": "77-secret"},
    )
    made.note(BookingEvent.Kind.RESOLVED, {"note": "Звонил Иван", "by": "olga"})
    made.change_requests.create(kind="move", wish="Я Иван", answer="Иван, хорошо")
    return made


def everything() -> str:
    rows = [*Booking.objects.all(), *BookingEvent.objects.all(), *ChangeRequest.objects.all()]
    return json.dumps(json.loads(serializers.serialize("json", rows)), ensure_ascii=False)


def test_nothing_that_names_a_person_is_left():
    with_all_texts(old())

    assert run() == "1 anonymised\n"
    left = everything()
    for text in ("79001234567", "Иван", "77-secret", "203.0.113.7"):
        assert text not in left


def test_what_counts_stays():
    made = with_all_texts(old(outcome="refused", reason="no_match", source={"ref": "site"}))
    before = (made.house_id, made.flat, made.starts_at, made.outcome, made.reason, made.source)

    run()

    made.refresh_from_db()
    after = (made.house_id, made.flat, made.starts_at, made.outcome, made.reason, made.source)
    assert after == before
    facts = [event.facts for event in made.events.all()]
    assert facts == [{"status_code": 403}, {"by": "olga"}, {}]
    assert made.events.latest("pk").kind == "anonymised"
    assert made.anonymised_at is not None


def test_equal_phones_stay_equal_and_others_differ(settings):
    for phone in ("+79001234567", "+79001234567", "+79001234568"):
        old(phone=phone, outcome="refused")
    run()

    one, same, other = Booking.objects.order_by("pk").values_list("phone_hash", flat=True)
    assert one == same
    assert one != other
    assert len(one) == 64
    settings.SECRET_KEY = "another-key-of-the-tests" * 3
    assert retention.keyed_hash("+79001234567") != one


def test_equal_addresses_stay_equal_and_others_differ():
    for number, address in enumerate(["203.0.113.7", "203.0.113.7", "2001:db8::7", None]):
        old(flat=str(number), client_address=address)
    run()

    hashes = list(Booking.objects.order_by("pk").values_list("client_address_hash", flat=True))
    assert hashes == [
        *[retention.keyed_hash("203.0.113.7")] * 2,
        retention.keyed_hash("2001:db8::7"),
        "",
    ]
    assert len(set(hashes)) == 3


def test_many_visits_of_one_flat_can_all_be_anonymised():
    first = old()
    second = old(follows=first, starts_at=first.starts_at + timedelta(days=1))
    old(follows=second, starts_at=first.starts_at + timedelta(days=2))
    old(phone="+79001234568")

    assert run() == "4 anonymised\n"


def test_the_young_and_the_unfinished_are_left_alone():
    booking(created_at=timezone.now() - LONG_AGO)  # its visit is yet to come
    old(created_at=timezone.now(), flat="2")
    old(outcome="sending", flat="3")

    assert run() == "0 anonymised\n"
    assert not StaffEvent.objects.exists()


def test_a_dry_run_changes_nothing():
    made = old()

    said = run(dry_run=True)

    assert said == f"1 would be anonymised, the oldest of {made.created_at:%Y-%m-%d}\n"
    assert run(dry_run=True, older_than=500) == "0 would be anonymised\n"
    made.refresh_from_db()
    assert made.phone == "+79001234567"
    assert not StaffEvent.objects.exists()


def test_it_is_an_event_itself():
    old()
    run()

    event = StaffEvent.objects.get()
    assert event.kind == "anonymised"
    assert event.facts == {"older_than_days": 365, "bookings": 1}


def test_a_second_run_finds_nothing_to_do():
    old()
    run()

    assert run() == "0 anonymised\n"


def test_more_than_one_batch(monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for number in range(5):
        old(flat=str(number))

    assert run() == "5 anonymised\n"
    assert [event.facts["bookings"] for event in StaffEvent.objects.all()] == [1, 2, 2]


def test_a_run_that_is_killed_has_told_of_what_it_did(monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    done: list[Booking] = []

    def killed(booking):
        if done:
            raise KeyboardInterrupt
        done.append(booking)
        return real(booking)

    real = retention.anonymise_booking
    monkeypatch.setattr(retention, "anonymise_booking", killed)
    old(flat="1")
    old(flat="2")

    with pytest.raises(KeyboardInterrupt):
        run()

    assert Booking.objects.exclude(anonymised_at=None).count() == 1
    assert StaffEvent.objects.get().facts["bookings"] == 1


def test_two_runs_at_once_do_it_once(monkeypatch):
    def overtaken(booking: Booking) -> bool:
        patch.undo()
        assert run() == "1 anonymised\n"
        return retention.anonymise_booking(booking)

    made = old()
    with monkeypatch.context() as patch:
        patch.setattr(retention, "anonymise_booking", overtaken)

        assert run() == "0 anonymised\n"
    assert made.events.filter(kind="anonymised").count() == 1
    assert StaffEvent.objects.count() == 1


def test_the_days_are_those_of_the_settings_unless_said(settings):
    old()

    said = StringIO()
    call_command("anonymise_bookings", stdout=said)

    assert settings.RETENTION_DAYS > 400
    assert said.getvalue() == "0 anonymised\n"


@pytest.mark.parametrize("days", [0, -5, 1_000_000])
def test_neither_today_nor_what_is_beyond_the_calendar_can_be_meant(days):
    with pytest.raises(CommandError, match="1 or more"):
        run(older_than=days)


def test_the_trail_takes_no_other_change():
    made = old()
    made.note(BookingEvent.Kind.RESOLVED, {"note": "x"})
    event = made.events.get()

    event.facts = {"note": "y"}
    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.save(update_fields=["facts"])
    event.scrub()

    assert made.events.get().facts == {}


def test_its_page_is_gone_and_the_flat_can_be_booked(client, admin_client):
    made = old()
    run()

    assert client.get(made.get_absolute_url()).status_code == 404
    page = admin_client.get(reverse("admin:booking_booking_change", args=[made.pk]))
    assert page.status_code == 200
    assert made.reference in text_of(admin_client.get("/admin/booking/booking/"))
    assert admin_client.get("/admin/booking/booking/export.csv").getvalue().count(b"\n") == 2
    assert services.booking.in_the_way_of(press_for(made)).booking is None


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
