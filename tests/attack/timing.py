"""Whether two kinds of request can be told apart by how long they take."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

# Of two kinds that are alike, one takes longer than the other in half of all pairs. With sixty of
# each the standard deviation of this share is 0.053: chance passes the bound once in 1,400 times,
# and twice in a row once in two millions.
SAMPLES = 60
BOUND = 0.18


@dataclass(frozen=True, slots=True)
class Comparison:
    """`share`: of all pairs, those in which the first kind took longer."""

    first: float
    second: float
    share: float

    @property
    def tells(self) -> bool:
        return abs(self.share - 0.5) > BOUND

    def __str__(self) -> str:
        medians = f"{self.first * 1e3:.0f} and {self.second * 1e3:.0f} ms"
        return f"{medians}, slower in {self.share:.0%} of pairs"


def compare(
    first: Callable[[], float],
    second: Callable[[], float],
    dice: random.Random,
    samples: int = SAMPLES,
) -> Comparison:
    """Each returns the seconds of one more request of its kind."""
    found = _once(first, second, dice, samples)
    return _once(first, second, dice, samples) if found.tells else found


def _once(
    first: Callable[[], float],
    second: Callable[[], float],
    dice: random.Random,
    samples: int,
) -> Comparison:
    """In pairs of random order, so that whatever disturbs the machine disturbs both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _sample in range(samples):
        pair = [(0, first), (1, second)]
        dice.shuffle(pair)
        for kind, ask in pair:
            seconds[kind].append(ask())
    longer = sum((a > b) + (a == b) / 2 for a in seconds[0] for b in seconds[1])
    return Comparison(median(seconds[0]), median(seconds[1]), longer / samples**2)
