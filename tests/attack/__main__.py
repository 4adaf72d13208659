"""`make attack`: ends with status 1 if an attacker learned something or a buyer was refused."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.attack import flood, lockout, numbers, reverse, stranger
from tests.attack.findings import Findings
from tests.attack.freeze import freeze
from tests.attack.hoarding import hoarding
from tests.attack.honest import Neighbours
from tests.attack.oracle import oracle
from tests.attack.scene import Scene, scene


@dataclass(frozen=True, slots=True)
class Attack:
    run: Callable[[Scene, Findings], None]
    variables: dict[str, str] = field(default_factory=dict)
    # Whether honest buyers are told to press again in seconds, and do so.
    patient: bool = False


ATTACKS = {
    "freeze": Attack(freeze),
    "hoarding": Attack(hoarding),
    "oracle": Attack(oracle),
    "reverse look-up": Attack(reverse.reverse, reverse.VARIABLES),
    "lock-out": Attack(lockout.lockout, lockout.VARIABLES),
    "flood by one": Attack(flood.one_client, flood.VARIABLES),
    "flood by few": Attack(flood.few_clients, flood.VARIABLES),
    "flood by many": Attack(flood.many_clients, flood.VARIABLES, patient=True),
    "numbers": Attack(numbers.numbers, numbers.VARIABLES),
    "stranger": Attack(stranger.stranger, stranger.VARIABLES),
}


def main() -> int:
    asked = _asked_for()
    _say(f"seed {asked.seed}")
    is_clean = True
    with TemporaryDirectory(prefix="attack-") as folder:
        for name in asked.only or ATTACKS:
            dice = random.Random(f"{asked.seed} {name}")
            is_clean &= _carry_out(name, Path(folder), dice, dict(asked.set))
    _say("no holes" if is_clean else "HOLES FOUND")
    return 0 if is_clean else 1


def _carry_out(name: str, folder: Path, dice: random.Random, changes: dict[str, str]) -> bool:
    attack, findings = ATTACKS[name], Findings()
    began_at = time.monotonic()
    with (
        scene(folder, dice, attack.variables | changes) as place,
        Neighbours(place, patient=attack.patient) as neighbours,
    ):
        attack.run(place, findings)
    findings.holes += neighbours.offences
    _say(f"\n{name} ({time.monotonic() - began_at:.0f} s)")
    for title, lines in (
        ("attacker", findings.got),
        ("honest", [neighbours.summary]),
        ("known", findings.known),
        ("HOLE", findings.holes),
    ):
        for line in lines:
            _say(f"  {title:<9} {line}")
    return not findings.holes


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked_for() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--only", choices=ATTACKS, action="append", help="may be given repeatedly")
    parser.add_argument(
        "--set",
        type=lambda text: text.split("=", 1),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the site, such as a limit that is to be tried",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
