"""How the stand-in behaves: one frozen record of switches, each with its default.

The defaults are the most probable behaviour of the real server; every other value is an
alternative that a client must survive. Values are plain JSON, so that the control path and
`StandIn.switch` take the same words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeGuard

METHODS = ("getReadyFlats", "getFreeTimes", "add")
DAY = 24 * 60 * 60

# A check returns the value to keep or raises ValueError with what is allowed.
Check = Callable[[object], object]


class SwitchError(ValueError):
    """No such switch, or no such value; the text names both the switch and what it takes."""


def _choice(*allowed: str) -> Any:
    """A switch that is one of a few words, the first of them by default."""

    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return value

    return field(default=allowed[0], metadata={"check": check})


def _flag(default: bool) -> Any:
    def check(value: object) -> object:
        if not isinstance(value, bool):
            raise ValueError("true or false")  # noqa: TRY004 - one kind of error for every switch
        return value

    return field(default=default, metadata={"check": check})


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _all_durations(values: Mapping[str, object]) -> bool:
    return all(_is_number(value) and value >= 0 for value in values.values())


def _number(default: float | None, *, least: float, most: float, whole: bool = False) -> Any:
    """A number; where the default is None, None too."""

    def check(value: object) -> object:
        if value is None and default is None:
            return value
        fits = _is_number(value) and least <= value <= most
        if not fits or (whole and not isinstance(value, int)):
            raise ValueError(f"a {'whole ' if whole else ''}number from {least:g} to {most:g}")
        return value

    return field(default=default, metadata={"check": check})


def _seconds_or_none(default: int) -> Any:
    def check(value: object) -> object:
        if value is None or (_is_number(value) and value >= 0):
            return value
        raise ValueError("a number of seconds, or null for any")

    return field(default=default, metadata={"check": check})


def _weekdays(*default: int) -> Any:
    def check(value: object) -> object:
        if isinstance(value, list | tuple) and set(value) <= set(range(1, 8)):
            return tuple(value)
        raise ValueError("a list of ISO weekdays, Monday 1 to Sunday 7")

    return field(default=default, metadata={"check": check})


def _days() -> Any:
    def check(value: object) -> object:
        if isinstance(value, list | tuple):
            return tuple(date.fromisoformat(str(day)).isoformat() for day in value)
        raise ValueError("a list of days such as 2026-12-31")

    return field(default=(), metadata={"check": check})


def _moment() -> Any:
    def check(value: object) -> object:
        if value is None or datetime.fromisoformat(str(value)).tzinfo is not None:
            return value
        raise ValueError("a moment with its offset, or null for the real one")

    return field(default=None, metadata={"check": check})


def _latency() -> Any:
    """Seconds: one number for all methods, or an object by method (the rest without delay)."""

    def check(value: object) -> object:
        given = dict.fromkeys(METHODS, value) if _is_number(value) else value
        if isinstance(given, Mapping) and set(given) <= set(METHODS) and _all_durations(given):
            return dict(given)
        raise ValueError(f"seconds, or an object of seconds by {', '.join(METHODS)}")

    return field(default_factory=dict, metadata={"check": check})


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Defaults first in each list of words; what a word does stands beside it."""

    # Which requests are served.
    query_reads: bool = _flag(True)  # False: the query of a GET is ignored
    free_times_get: str = _choice("served", "refused")
    free_times_post: str = _choice("served", "405")
    json_bodies: str = _choice("read", "ignored")
    slashless: str = _choice("redirected", "served")

    # The signature.
    registered_domain: str = _choice("as given", "punycode")
    domain_case: str = _choice("exact", "ignored")
    clock_tolerance: float | None = _seconds_or_none(DAY)
    milliseconds: str = _choice("refused", "accepted")

    # The envelope and its bytes.
    refusals: str = _choice("in body", "mirrored", "yii", "error flag")
    encoding: str = _choice("plain", "escaped", "bom", "notice", "windows-1251")

    # getReadyFlats.
    no_houses: str = _choice("houses", "list", "null")
    ids: str = _choice("strings", "ints")
    booked_flats: str = _choice("stay", "disappear")

    # getFreeTimes.
    times_shape: str = _choice("php", "list", "literal")
    no_times: str = _choice("list", "object", "null")
    house_id: str = _choice("optional", "required")

    # add.
    add_reply: str = _choice("thanks", "no message", "C94", "C95", "C96", "C97", "C98")
    add_writes: bool = _flag(True)  # False: says what it says, and books nothing
    second_add: str = _choice("refused", "moves", "adds")
    offset: str = _choice("ignored", "converted")
    unpadded_hours: str = _choice("accepted", "refused")

    # The diary.
    grid_minutes: int = _number(30, least=5, most=240, whole=True)
    capacity: int = _number(1, least=1, most=1000, whole=True)
    busy: float = _number(0, least=0, most=1)  # share of the slots that others hold already
    closed_weekdays: tuple[int, ...] = _weekdays()
    closed_days: tuple[str, ...] = _days()
    horizon_days: int = _number(60, least=0, most=3650, whole=True)

    # Time.
    now: str | None = _moment()  # the diary's "now"; null is the real one
    clock_skew: float = _number(0, least=-1e9, most=1e9)  # seconds that the server's clock is ahead
    latency: Mapping[str, float] = _latency()

    def changed(self, **values: Any) -> Switches:
        """A copy with these values. Raises SwitchError for a wrong name or value."""
        return dataclasses.replace(self, **{name: _checked(name, values[name]) for name in values})


_CHECKS: dict[str, Check] = {
    switch.name: switch.metadata["check"] for switch in dataclasses.fields(Switches)
}


def _checked(name: str, value: object) -> Any:
    if name not in _CHECKS:
        raise SwitchError(f"no switch is called {name}; there are {', '.join(_CHECKS)}")
    try:
        return _CHECKS[name](value)
    except (ValueError, TypeError) as exc:
        raise SwitchError(f"{name} takes {exc}") from exc
