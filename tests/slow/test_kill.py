"""Workers die by SIGKILL in the middle of bookings, while the CRM fails in every way it can.

The short form; `make torture` runs the long one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.torture.__main__ import report
from tests.torture.judge import Row, Verdict, Visit, judge
from tests.torture.run import Torture, run

VISIT = Visit(
    house_id="4000001",
    category="flat",
    flat="1-1-1",
    start="2026-12-01T09:30",
    phone="+79011234567",
)
CALL = VISIT.as_logged()
CLEAN = Verdict(lost=[], doubled=[], false=[], sending=[], untold=[], twice=[], stale=[])
LATER = replace(VISIT, start="2026-12-02T12:00")
MOVE = LATER.as_logged()


def row(outcome: str) -> Row:
    return Row(key="k", visit=VISIT, outcome=outcome, trail=("sending", outcome))


def test_nothing_is_lost_doubled_or_false_when_workers_are_killed(tmp_path: Path):
    # With this seed every kind of fault hits one of the first 32 calls.
    result = run(Torture(bookings=40, kills=6, seed=64), tmp_path)

    assert result.verdict == CLEAN, report(result)
    assert result.killed == 6
    assert result.pages[500] == 0, result.site_log
    # The faults did their part: without doubts and failures the rest would prove little.
    outcomes = Counter(row.outcome for row in result.rows)
    assert outcomes["confirmed"] >= 5, report(result)
    assert outcomes["in_doubt"] >= 2, report(result)


# The judge itself. A run can only prove what the judge would have noticed.


@pytest.mark.parametrize("outcome", ["confirmed", "in_doubt"])
def test_a_booking_held_once_and_known_is_in_order(outcome):
    assert judge([row(outcome)], [VISIT], [CALL]) == CLEAN


@pytest.mark.parametrize("outcome", ["in_doubt", "refused"])
def test_a_call_that_left_no_booking_is_in_order(outcome):
    assert judge([row(outcome)], [], [CALL]) == CLEAN


def test_trying_again_after_one_that_was_not_sent_is_in_order():
    assert judge([row("not_sent"), row("confirmed")], [VISIT], [CALL]) == CLEAN


@pytest.mark.parametrize(
    ("rows", "entries", "calls", "offence"),
    [
        pytest.param([], [VISIT], [], "lost", id="no row"),
        pytest.param(
            [replace(row("confirmed"), visit=replace(VISIT, phone="+79010000067"))],
            [VISIT],
            [CALL],
            "lost",
            id="a row with another phone",
        ),
        pytest.param([row("in_doubt")], [VISIT], [CALL, CALL], "doubled", id="two calls"),
        pytest.param([], [], [CALL], "doubled", id="a call without a row"),
        pytest.param([row("not_sent")], [], [CALL], "doubled", id="a call of one not sent"),
        pytest.param(
            [row("confirmed"), row("confirmed")],
            [VISIT] * 2,
            [CALL] * 2,
            "doubled",
            id="held twice",
        ),
        pytest.param([row("confirmed")], [], [CALL], "false", id="confirmed, not held"),
        pytest.param([row("refused")], [VISIT], [CALL], "false", id="refused, yet held"),
        pytest.param([row("sending")], [VISIT], [CALL], "sending", id="never settled"),
        pytest.param(
            [replace(row("confirmed"), trail=("sending", "in_doubt"))],
            [VISIT],
            [CALL],
            "untold",
            id="another trail",
        ),
        pytest.param(
            [replace(row("confirmed"), trail=("confirmed",))],
            [VISIT],
            [CALL],
            "untold",
            id="a trail without its beginning",
        ),
    ],
)
def test_the_judge_notices(rows, entries, calls, offence):
    assert getattr(judge(rows, entries, calls), offence)


def moved(visit: Visit = VISIT) -> Row:
    return replace(row("confirmed"), visit=visit, is_over=True)


def now(outcome: str) -> Row:
    return replace(row(outcome), visit=LATER)


@pytest.mark.parametrize(
    "rows", [[moved(), now("confirmed")], [row("confirmed"), now("in_doubt")]], ids=str
)
def test_a_visit_moved_or_perhaps_moved_is_in_order(rows):
    assert judge(rows, [VISIT, LATER], [CALL, MOVE], replaced=[VISIT]) == CLEAN


def test_the_judge_notices_two_visits_that_are_expected():
    rows = [row("confirmed"), now("confirmed")]

    assert judge(rows, [VISIT, LATER], [CALL, MOVE]).twice


def test_the_judge_notices_a_visit_that_the_crm_has_moved_without_a_word():
    verdict = judge([row("confirmed"), now("refused")], [VISIT, LATER], [CALL, MOVE], [VISIT])

    assert verdict.stale
