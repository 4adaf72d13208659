"""Findings: one row for each check."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias, TypeVar

from booking.crm import CRMError, CRMMisconfigured, CRMRefused, CRMUnreadable
from booking.redaction import HIDDEN, without_secrets

T = TypeVar("T")


class Verdict(StrEnum):
    """From harmless to grave."""

    NOT_CHECKED = "not checked"
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"

    @property
    def exit_status(self) -> int:
        return {Verdict.WARNING: 1, Verdict.WRONG: 2}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """`seen` is what the check saw, `advice` what to do about it."""

    check: str
    verdict: Verdict
    seen: str
    advice: str = ""

    def without_secrets(self) -> Finding:
        return replace(self, seen=_clean(self.seen), advice=_clean(self.advice))


# Yields findings and returns the input of the next stage.
Stage: TypeAlias = Generator[Finding, None, T]


def worst(findings: Iterable[Finding]) -> Verdict:
    gravity = list(Verdict)
    return max((finding.verdict for finding in findings), key=gravity.index, default=Verdict.OK)


def failure(check: str, error: CRMError) -> Finding:
    """The finding of a failed read."""
    return Finding(check, Verdict.WRONG, str(error), _advice(error))


def _advice(error: CRMError) -> str:
    match error:
        case CRMMisconfigured():
            return " ".join(error.hints)
        case CRMRefused():
            return "Ask MacroCRM what it means by that."
        case CRMUnreadable():
            return "Report it: the CRM answers in a shape that this site does not know."
    return "Try again in a few minutes; if it stays so, ask MacroCRM."


def _clean(text: str) -> str:
    """Remove secrets and all that looks like a token: a CRM may repeat one anywhere."""
    return re.sub(r"\b[0-9a-fA-F]{32}\b", HIDDEN, without_secrets(text))
