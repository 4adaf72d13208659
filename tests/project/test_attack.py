"""What `make attack` judges by."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.attack import timing
from tests.attack.alike import alike
from tests.attack.flood import most_within


@pytest.fixture
def dice() -> random.Random:
    return random.Random(7)


def takes(mean: float, dice: random.Random) -> Callable[[], float]:
    return lambda: dice.gauss(mean, mean / 10)


def test_kinds_that_are_alike_are_not_told_apart(dice):
    assert not timing.compare(takes(0.1, dice), takes(0.1, dice), dice).tells


@pytest.mark.parametrize(("first", "second"), [(0.12, 0.1), (0.1, 0.12)])
def test_one_that_takes_a_fifth_longer_is_told_from_the_other(dice, first, second):
    found = timing.compare(takes(first, dice), takes(second, dice), dice)

    assert found.tells
    assert (found.first > found.second) == (first > second)


def test_a_machine_that_gets_slower_tells_nothing(dice):
    drift = iter(range(10_000))

    def ask() -> float:
        return next(drift) / 1000

    assert not timing.compare(ask, ask, dice).tells


def test_pages_that_differ_in_their_own_alone_are_alike():
    key, other = "5d1f6f0e-5f5f-4d0a-9a57-000000000001", "0c6c5c1e-0f6e-4a2b-8f21-00000000000f"
    page = '<a href="/bookings/{}/">А1234ВС</a><span>+7 *** ***-{}</span> flat {}'

    first = alike(page.format(key, "45-67", "1-1"), "1-1")

    assert first == alike(page.format(other, "89-01", "1-2"), "1-2")
    assert first != alike(page.format(other, "89-01", "1-2") + " taken", "1-2")


def test_calls_are_counted_within_any_span():
    now = datetime(2026, 12, 1, 12)
    moments = [now + timedelta(seconds=each) for each in (0, 30, 59, 60, 89, 200)]

    assert most_within(moments, 60) == 4
    assert most_within(moments, 1) == 1
    assert most_within([], 60) == 0
