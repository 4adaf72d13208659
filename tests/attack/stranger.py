"""Another browser with a flat that has a visit: with its phone, and with one that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from tests.attack import timing
from tests.attack.alike import alike, differ
from tests.attack.findings import Findings
from tests.attack.scene import Scene, Told

# The attacker has hours for its samples.
VARIABLES = {"MACROCRM_ADDS_PER_MINUTE": "1000000", "MACROCRM_CALLS_PER_MINUTE": "600"}
EMPTY = 10  # flats without a visit, so that for none too many phones are tried


def stranger(scene: Scene, findings: Findings) -> None:
    visited, empty = scene.target(), cycle([scene.target() for _flat in range(EMPTY)])
    owner = scene.press(scene.newcomer(), visited, scene.start(), visited.phones[0])
    start = scene.start()

    def right() -> Told:
        return scene.press(scene.newcomer(), visited, start, visited.phones[0])

    def wrong() -> Told:
        return scene.press(scene.newcomer(), visited, start, scene.wrong_phone())

    def unbooked() -> Told:
        return scene.press(scene.newcomer(), next(empty), start, scene.wrong_phone())

    for name, ask in (("right phone", right), ("wrong phone", wrong)):
        findings.must(_opens_nothing(ask(), owner), f"a {name} opens the owner's booking")
        differs = differ(_read, ask, unbooked)
        findings.must(not differs, f"a {name} for a flat with a visit reads otherwise")
        found = timing.compare(_seconds(ask), _seconds(unbooked), scene.dice)
        findings.got.append(f"{name}, flat with a visit and without: {found}")
        findings.must(not found.tells, f"a {name} for a flat with a visit takes another time")
    findings.must(len(scene.visits_of(visited)) == 1, "a stranger booked beside the owner")


def _opens_nothing(told: Told, owner: Told) -> bool:
    """Neither the address of the owner's booking nor the form that changes it."""
    address = owner.pressed.location.partition("?")[0]
    page = told.page.html if told.page else ""
    return address not in told.pressed.location + page and 'name="kind"' not in page


def _read(told: Told) -> tuple[object, ...]:
    page = told.page
    return (
        told.pressed.status,
        alike(told.pressed.location),
        sorted(told.pressed.cookies),
        page and (page.status, alike(page.html, told.target.flat)),
    )


def _seconds(ask: Callable[[], Told]) -> Callable[[], float]:
    return lambda: ask().pressed.seconds
