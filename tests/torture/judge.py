"""What the durable records say: is every booking that the CRM holds known, once, and no other?

Pure. Knows nothing of how the records came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

# Rows that hold a visit or may hold one; and rows that say there is none.
MAY_HOLD = {"confirmed", "in_doubt", "sending"}
DENY = {"refused", "not_sent"}
OUTCOMES = MAY_HOLD | DENY


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Visit:
    """What a booking asks for. `start` is wall time of the house, to the minute."""

    house_id: str
    category: str
    flat: str
    start: str
    phone: str

    @property
    def of_flat(self) -> tuple[str, str, str]:
        return self.house_id, self.category, self.flat

    def as_logged(self) -> Visit:
        """As the stand-in's log has it, which keeps two digits of a phone."""
        return replace(self, phone=self.phone[-2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One booking of the journal, with the kinds of its events in order.

    `is_over` says that its visit was moved or called off.
    """

    key: str
    visit: Visit
    outcome: str
    trail: Sequence[str]
    is_over: bool = False

    @property
    def expects(self) -> bool:
        """Whether its page expects the buyer, or may: "in doubt" tells both, and staff."""
        return self.outcome == "confirmed" and not self.is_over

    @property
    def is_told_by_its_trail(self) -> bool:
        told = [kind for kind in self.trail if kind in OUTCOMES]
        begins = self.trail[0] == "sending" or self.outcome in DENY
        return begins and told[-1] == self.outcome

    @property
    def has_called(self) -> bool:
        """Or may have; a press can be refused without a call."""
        return self.trail[0] == "sending" and self.outcome != "not_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Each list names the visits concerned, one time for each offence."""

    lost: list[Visit]  # in the ledger, and no row that may hold it
    doubled: list[Visit]  # more calls than rows that may have called, or twice in the ledger
    false: list[Visit]  # confirmed and not in the ledger, or denied and in it
    sending: list[Visit]  # still, after its deadline
    untold: list[Visit]  # the trail tells another story than the row
    twice: list[Visit]  # expected, as another visit of the same flat is
    stale: list[Visit]  # expected, though the CRM has moved it, and no row is in doubt

    @property
    def is_clean(self) -> bool:
        return not any(getattr(self, name) for name in self.__slots__)


def judge(
    rows: Sequence[Row],
    entries: Iterable[Visit],
    calls: Iterable[Visit],
    replaced: Iterable[Visit] = (),
) -> Verdict:
    """`entries` are the ledger's bookings, `calls` the `add` requests, both one by one.

    `replaced` are the entries that a later one of the same flat has moved.

    Rows, entries and calls of the same visit belong together. A visit may have several rows: the
    "try again" after one that was not sent, or two tabs of which the first was refused.
    """
    holding = _counted(rows, MAY_HOLD)
    confirmed, denied = _counted(rows, {"confirmed"}), _counted(rows, DENY)
    callers = Counter(row.visit.as_logged() for row in rows if row.has_called)
    held = Counter(entries)
    unheld = held - holding
    denied_but_held = unheld & denied
    expected = [row.visit for row in rows if row.expects]
    flats = Counter(visit.of_flat for visit in expected)
    in_doubt = {row.visit.of_flat for row in rows if row.outcome == "in_doubt"}
    gone = set(replaced)
    return Verdict(
        lost=sorted((unheld - denied_but_held).elements()),
        doubled=sorted((*(Counter(calls) - callers).elements(), *(held - _once(held)).elements())),
        false=sorted((*(confirmed - held).elements(), *denied_but_held.elements())),
        sending=[row.visit for row in rows if row.outcome == "sending"],
        untold=[row.visit for row in rows if not row.is_told_by_its_trail],
        twice=[visit for visit in expected if flats[visit.of_flat] > 1],
        stale=[each for each in expected if each in gone and each.of_flat not in in_doubt],
    )


def _counted(rows: Iterable[Row], outcomes: set[str]) -> Counter[Visit]:
    return Counter(row.visit for row in rows if row.outcome in outcomes)


def _once(visits: Counter[Visit]) -> Counter[Visit]:
    return Counter(visits.keys())
