"""Uses limits up, so that an owner or an office finds them reached."""

from __future__ import annotations

import time
from itertools import cycle

from tests.attack.findings import Findings
from tests.attack.repeating import running
from tests.attack.scene import Scene, Target, Told
from tests.torture.browser import Browser

# Lower than in earnest, so that the attack is over soon; how often an address may press, and the
# budget of the CRM, are other limits.
VARIABLES = {
    "LIMIT_PRESSES_OF_CLIENT": "1000",
    "LIMIT_PHONES_OF_FLAT": "20",
    "LIMIT_PAIRS_OF_CLIENT": "15",
    "MACROCRM_ADDS_PER_MINUTE": "1000",
}
BEYOND = 25  # beyond any of these
MINUTE = 60


def lockout(scene: Scene, findings: Findings) -> None:
    _of_an_owner(scene, findings, "one address", [scene.newcomer()] * BEYOND)
    many = [scene.newcomer() for _address in range(BEYOND)]
    _of_an_owner(scene, findings, f"{BEYOND} addresses", many)
    _of_an_office(scene, findings)


def _of_an_owner(scene: Scene, findings: Findings, who: str, attackers: list[Browser]) -> None:
    target = scene.target()
    for attacker in attackers:
        scene.press(attacker, target, scene.start(), scene.wrong_phone())
    owner = scene.press(scene.newcomer(), target, scene.start(), target.phones[0])
    findings.got.append(f"{BEYOND} wrong phones from {who}: the owner's visit is {owner.state}")
    findings.must(owner.state == "expected", f"wrong phones from {who} locked the owner out")


def _of_an_office(scene: Scene, findings: Findings) -> None:
    """All from one address: one guesses, another has booked before, a third comes to book."""
    office = "127.1.1.1"
    booked, wanted = scene.target(), scene.target()
    earlier = scene.press(scene.browser(office), booked, scene.start(), booked.phones[0])
    flats = cycle([(scene.target(), scene.start()) for _flat in range(BEYOND)])

    def guess() -> int:
        told = scene.press(scene.browser(office), *next(flats), scene.wrong_phone())
        return told.pressed.status

    for _guess in range(BEYOND):
        guess()

    cookie = "; ".join(f"{name}={value}" for name, value in earlier.pressed.cookies.items())
    proven = scene.browser(office, cookie=cookie)
    again = scene.press(proven, booked, scene.start(), booked.phones[0])
    findings.got.append(f"office, who has booked before: led to a visit that is {again.state}")
    findings.must(again.state == "expected", "an office locked out one who had booked")

    with running([guess]):
        waited, right = _patiently(scene, office, wanted)
    if right.state != "expected":
        findings.known.append("while one presses without a pause, others of that address wait")
        waited, right = _patiently(scene, office, wanted)
    findings.got.append(f"office, another buyer: visit {right.state} after {waited:.0f} s")
    findings.must(right.state == "expected", "an office locked out a buyer of the same address")


def _patiently(scene: Scene, address: str, target: Target) -> tuple[float, Told]:
    """Presses again once, if told to come within a minute."""
    began_at = time.monotonic()
    start = scene.start()
    told = scene.press(scene.browser(address), target, start, target.phones[0])
    if 0 < told.pressed.retry_after <= MINUTE:
        time.sleep(told.pressed.retry_after)
        told = scene.press(scene.browser(address), target, start, target.phones[0])
    return time.monotonic() - began_at, told
