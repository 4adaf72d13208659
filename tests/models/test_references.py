"""Booking numbers: sayable, found in either alphabet, and not to be had by choosing a key."""

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from booking import references
from booking.models import Booking
from booking.services import visits
from booking.services.booking import book
from tests.bookings import booking


def test_a_number_is_like_a_cars_plate():
    for _ in range(200):
        number = references.make()
        assert len(number) == 7
        assert number[1:5].isdigit()
        assert set(number[0] + number[5:]) <= set("АВЕКМНОРСТУХ")


@pytest.mark.parametrize(
    "typed",
    [
        "О1203ВС",
        "о1203вс",
        "O1203BC",  # Latin
        "o1203bc",
        "О1203BС",  # mixed
        "01203ВС",  # zero for the letter
        "О12О3ВС",  # the letter for zero
        "№ О1203ВС",
        "№О 1203 ВС",
        "О-1203-ВС",
        " О1203ВС. ",
    ],
)
def test_a_number_is_read_as_people_type_it(typed):
    assert references.parse(typed) == "О1203ВС"


@pytest.mark.parametrize(
    "typed",
    ["", "О1203В", "О1203ВСС", "Ж1203ВС", "О12Х3ВС", "12345678", "+79001234567", "О" * 60_000],
)
def test_what_cannot_be_a_number_is_none(typed):
    assert references.parse(typed) is None


@pytest.mark.django_db
def test_two_keys_of_the_same_first_digits_have_two_numbers():
    first, second = (booking(key=uuid.UUID(f"0badc0de{n:024x}"), flat=str(n)) for n in (1, 2))

    assert references.parse(first.reference) == first.reference
    assert first.reference != second.reference


@pytest.mark.django_db
def test_a_number_in_use_is_not_given_again(press, monkeypatch):
    taken = booking(flat="1").reference
    numbers = iter([taken, taken, "А0001АА", taken, "А0002АА"])
    monkeypatch.setattr(references, "make", lambda: next(numbers))

    made = book(press)
    assert (made.reference, made.outcome) == ("А0001АА", "confirmed")
    moved = visits.move(made, made.starts_at_local + timedelta(days=1), by="olga", note="")
    assert moved is not None
    assert moved.reference == "А0002АА"


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_bookings_of_the_version_before_get_a_number():
    executor = MigrationExecutor(connection)
    executor.migrate([("booking", "0010_mark")])
    old = executor.loader.project_state([("booking", "0010_mark")]).apps
    made = [
        old.get_model("booking", "Booking").objects.create(
            key=uuid.uuid4(),
            outcome="confirmed",
            category="flat",
            house_id="1",
            flat=str(number),
            starts_at="2026-12-01T09:00Z",
            time_zone="Europe/Moscow",
            phone="+79001234567",
            deadline_at="2026-12-01T09:00Z",
        )
        for number in range(3)
    ]

    call_command("migrate", "booking", verbosity=0)

    numbers = set(Booking.objects.values_list("reference", flat=True))
    assert len(numbers) == len(made)
    assert all(references.parse(number) == number for number in numbers)
