"""Tries a right and a wrong phone at times that can't be booked, and looks for any difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.attack import timing
from tests.attack.alike import alike, differ
from tests.attack.findings import Findings
from tests.attack.scene import Scene, Target, Told


def oracle(scene: Scene, findings: Findings) -> None:
    target = scene.target()
    for name, start in _times(scene).items():
        right, wrong = _presses(scene, target, start)
        differs = differ(_read, right, wrong)
        findings.must(not differs, f"a right phone reads otherwise at a time that is {name}")
        found = timing.compare(_seconds(right), _seconds(wrong), scene.dice)
        findings.got.append(f"{name}: right and wrong phone {found}")
        findings.must(not found.tells, f"a right phone takes another time when it is {name}")
    findings.must(not scene.visits_of(target), "a time that is not offered was booked")


def _presses(
    scene: Scene, target: Target, start: datetime
) -> tuple[Callable[[], Told], Callable[[], Told]]:
    def right() -> Told:
        return scene.press(scene.newcomer(), target, start, target.phones[0])

    def wrong() -> Told:
        return scene.press(scene.newcomer(), target, start, scene.wrong_phone())

    return right, wrong


def _times(scene: Scene) -> dict[str, datetime]:
    """What one finds who knows the times of the house, and who does not."""
    return {
        "taken": _taken(scene),
        "off the grid": scene.start() + timedelta(minutes=7),
        "at night": scene.start().replace(hour=3, minute=30),
        "past": scene.start() - timedelta(days=21),
        "beyond the horizon": scene.start() + timedelta(days=40),
    }


def _taken(scene: Scene) -> datetime:
    start, owner = scene.start(), scene.target()
    scene.press(scene.newcomer(), owner, start, owner.phones[0])
    return start


def _read(told: Told) -> tuple[object, ...]:
    page = told.page
    return (
        told.pressed.status,
        told.pressed.location,
        sorted(told.pressed.cookies),
        page and (page.status, page.location, sorted(page.cookies), alike(page.html)),
    )


def _seconds(press: Callable[[], Told]) -> Callable[[], float]:
    return lambda: press().pressed.seconds
