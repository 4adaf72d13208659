"""Looks for the flat that a known phone belongs to."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from tests.attack.findings import Findings
from tests.attack.scene import Scene, Target

FLATS_OF_PHONE = 5
VARIABLES = {"LIMIT_FLATS_OF_PHONE": str(FLATS_OF_PHONE)}
FLATS = 40
AT_ONCE = 8
SECONDS = 25
# Pages that tell whether a phone belongs to a flat.
VERDICTS = {"expected", "refused"}


def reverse(scene: Scene, findings: Findings) -> None:
    _from_one_address(scene, findings)
    _from_many_addresses(scene, findings)


def _from_one_address(scene: Scene, findings: Findings) -> None:
    owned, browser = scene.target(), scene.newcomer()
    flats = [*(scene.target() for _flat in range(FLATS - 1)), owned]
    told = [scene.press(browser, flat, scene.start(), owned.phones[0]) for flat in flats]
    learned = sum(each.state in VERDICTS for each in told)
    findings.got.append(f"one address: {learned} of {FLATS} flats told")
    findings.must(learned <= FLATS_OF_PHONE, f"{learned} flats told to one address")
    findings.must(not scene.visits_of(owned), "one address found the flat of a phone")


def _from_many_addresses(scene: Scene, findings: Findings) -> None:
    """As many flats as can be tried. The right one is left out: else luck would decide."""
    owned, own_start = scene.target(), scene.start()
    tries = deque((scene.target(), scene.start()) for _flat in range(FLATS - 1))
    learned: list[Target] = []
    over = threading.Event()

    def search() -> None:
        while tries and not over.is_set():
            flat, start = tries.popleft()
            told = scene.press(scene.newcomer(), flat, start, owned.phones[0])
            if told.state in VERDICTS:
                learned.append(flat)
            else:
                tries.append((flat, start))

    began_at = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as hands:
        searches = [hands.submit(search) for _hand in range(AT_ONCE)]
        over.wait(SECONDS)
        owner = scene.press(scene.newcomer(), owned, own_start, owned.phones[0])
        over.set()
    for each in searches:
        each.result()
    minutes = 1 + int((time.monotonic() - began_at) / 60)
    findings.got.append(f"many addresses: {len(learned)} of {FLATS} flats told in {SECONDS} s")
    most = FLATS_OF_PHONE + minutes
    findings.must(len(learned) <= most, f"{len(learned)} flats told to many addresses")
    if wait := owner.pressed.retry_after:
        findings.known.append(f"the owner of that phone is told meanwhile to come in {wait} s")
