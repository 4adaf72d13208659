"""What an attack has led to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """`got` is told, `holes` fail the run; `known` is what a decision leaves to the attacker."""

    got: list[str] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    def must(self, condition: bool, hole: str) -> None:
        if not condition:
            self.holes.append(hole)
