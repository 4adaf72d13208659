"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line. Without a value it was not measured, and `note` says why."""

    name: str
    value: float | None
    unit: str = ""
    goal: str = ""
    reached: bool | None = None
    note: str = ""


def at_least(name: str, value: float, goal: float, *, unit: str = "", note: str = "") -> Figure:
    return Figure(
        name=name,
        value=value,
        unit=unit,
        goal=f">= {goal:g}",
        reached=value >= goal,
        note=note,
    )


def at_most(name: str, value: float, goal: float, *, unit: str = "", note: str = "") -> Figure:
    return Figure(
        name=name,
        value=value,
        unit=unit,
        goal=f"<= {goal:g}",
        reached=value <= goal,
        note=note,
    )


def milliseconds(name: str, seconds: float, *, note: str = "") -> Figure:
    return Figure(name=name, value=seconds * 1000, unit="ms", note=note)


def as_line(figure: Figure) -> str:
    value = "not measured" if figure.value is None else f"{_digits(figure.value)} {figure.unit}"
    verdict = {None: "", True: "yes", False: "NO"}[figure.reached]
    line = f"{figure.name:<58}{value:>18}  {figure.goal:<9}{verdict:<4}{figure.note}"
    return line.rstrip()


def as_json(measured: Mapping[str, Sequence[Figure]]) -> str:
    plain = {section: [asdict(figure) for figure in found] for section, found in measured.items()}
    return json.dumps(plain, indent=2)


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
