"""Who knows a right phone takes as many visits for its flat as possible."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tests.attack.findings import Findings
from tests.attack.scene import Scene, Target

TRIES = 16


def hoarding(scene: Scene, findings: Findings) -> None:
    ways = {
        "one phone": (scene.target(), 1),
        "two phones": (scene.target(phones=2), 1),
        "one phone, at once": (scene.target(), TRIES),
        "two phones, at once": (scene.target(phones=2), TRIES),
    }
    for name, (target, at_once) in ways.items():
        _press_all(scene, target, [scene.start() for _try in range(TRIES)], at_once)
        visits = len(scene.visits_of(target))
        findings.got.append(f"{name}: {visits} visit of {TRIES} presses")
        findings.must(visits == 1, f"{visits} visits for one flat by {name}")


def _press_all(scene: Scene, target: Target, starts: Iterable[datetime], at_once: int) -> None:
    """Each press comes from an address and a browser of its own."""

    def press(number: int, start: datetime) -> None:
        phone = target.phones[number % len(target.phones)]
        scene.press(scene.newcomer(), target, start, phone)

    with ThreadPoolExecutor(at_once) as hands:
        list(hands.map(lambda numbered: press(*numbered), enumerate(starts)))
