import pytest

from booking import presenters
from booking.crm import ListedFlat
from booking.flat_numbers import common_beginning, folded, natural_key


def test_numbers_sort_as_people_count():
    numbers = ["10", "2", "К-10", "К-2", "1.10-1", "1.9-1"]

    assert sorted(numbers, key=natural_key) == ["1.9-1", "1.10-1", "2", "10", "К-2", "К-10"]


@pytest.mark.parametrize(
    ("typed", "listed"),
    [
        ("кв. 12", "12"),
        ("КВ.12", "12"),
        (" 12 ", "12"),
        ("Квартира №12", "12"),
        ("№ 12", "12"),
        ("машино-место 5", "5"),
        ("м/м 4", "4"),
        ("k-1.4-7-1", "К-1.4-7-1"),
        ("К–1.4 — 7-1", "К-1.4-7-1"),
        ("кв. К-1.4-7-1", "К-1.4-7-1"),
        ("M-3/2", "М-3/2"),
        ("К﹘1", "К-1"),
        ("1\u00ad-12\u200b", "1-12"),
        ("К 7", "К7"),
    ],
)
def test_spellings_of_one_number_meet(typed, listed):
    assert folded(typed) == folded(listed)


@pytest.mark.parametrize(
    ("one", "other"), [("12", "112"), ("1-1", "11"), ("1 12", "112"), ("квант-2", "ант-2")]
)
def test_different_numbers_stay_apart(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    ("number", "parts", "beginning"),
    [
        ("1.8-12-1", 1, "1.8"),
        ("1.8-12-1", 2, "1.8-12"),
        ("1.8-12-1", 3, ""),
        ("М-1/5", 2, "М-1"),
        ("12", 1, ""),
        ("Кл. 7", 1, ""),
    ],
)
def test_numbers_begin_with_their_section_and_floor(number, parts, beginning):
    assert common_beginning(number, parts) == beginning


def grouped(numbers):
    flats = [ListedFlat(number, number) for number in numbers]
    return [(each.beginning, len(each.flats)) for each in presenters.flat_groups(flats)]


def test_many_numbers_stand_as_in_the_house():
    sections = [f"2.{section}-{floor}-1" for section in (1, 2) for floor in range(1, 21)]
    floors = [f"1.8-{floor}-{n}" for floor in range(1, 9) for n in range(1, 13)]

    assert grouped(sections) == [("2.1", 20), ("2.2", 20)]
    assert grouped(floors) == [(f"1.8-{floor}", 12) for floor in range(1, 9)]


def test_numbers_without_a_shape_are_one_list():
    assert grouped(map(str, range(1, 49))) == [("", 48)]
    assert grouped([f"{n // 4}-{n}" for n in range(1, 49)]) == [("", 48)]


def test_a_few_numbers_need_no_groups():
    assert grouped([f"{section}-{n}" for section in (1, 2) for n in range(12)]) == [("", 24)]
