"""How the stand-in behaves: one frozen record, changed while it runs.

The defaults are the likeliest behaviour of the real server; each other value is one that a client
must survive. Values are plain JSON, so that the control path and `StandIn.switch` take the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

METHODS = ("getReadyFlats", "getFreeTimes", "add")


class SwitchError(ValueError):
    """No such switch, or no such value. The text names the switch and what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    # Requests and replies.
    query_reads: bool = True  # False: the query of a GET is ignored
    free_times_get: bool = True  # False: 405
    free_times_post: bool = True  # False: 405
    refusals: Literal["in body", "mirrored", "yii", "error flag"] = "in body"
    encoding: Literal["plain", "notice", "windows-1251"] = "plain"
    latency: Mapping[str, float] = field(default_factory=dict)  # seconds by method, or one number
    clock_skew: float = 0  # seconds that the server's clock is ahead

    # Bookings.
    booked_flats: Literal["stay", "disappear"] = "stay"  # in the list of ready flats
    second_add: Literal["refused", "moves", "adds"] = "refused"  # for a flat that has a visit
    add_writes: bool = True  # False: confirms, and books nothing

    # The schedule.
    grid_minutes: int = 30
    capacity: int = 1  # visits in one slot
    busy: float = 0  # share of the slots that are taken from the start
    closed_weekdays: Collection[int] = ()  # Monday is 1
    closed_days: Collection[str] = ()  # such as 2026-12-31
    horizon_days: int = 60

    def changed(self, **values: Any) -> Switches:
        """A copy with these values. Raises SwitchError for a wrong name or value."""
        if isinstance(values.get("latency"), int | float):
            values["latency"] = dict.fromkeys(METHODS, values["latency"])
        for name, value in values.items():
            _check(name, value)
        return dataclasses.replace(self, **values)


_TYPES = get_type_hints(Switches)


def _check(name: str, value: object) -> None:
    if name not in _TYPES:
        raise SwitchError(f"no switch is called {name}; there are {', '.join(_TYPES)}")
    wanted = get_origin(_TYPES[name]) or _TYPES[name]
    if wanted is Literal:
        words = get_args(_TYPES[name])
        if value not in words:
            raise SwitchError(f"{name} is one of {', '.join(words)}")
    elif not isinstance(value, int | float if wanted is float else wanted):
        raise SwitchError(f"{name} takes {wanted.__name__.lower()}")
