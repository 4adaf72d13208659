import pytest

from booking.flat_numbers import folded, natural_key


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
