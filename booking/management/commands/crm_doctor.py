"""Print what works between this site and its CRM."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from booking.crm_doctor import Finding, Verdict, examine, worst

VERDICT_WIDTH = 13
CHECK_WIDTH = 22
SEEN_AT = VERDICT_WIDTH + CHECK_WIDTH
# Width of output to a file, and the narrowest column of text.
PAGE_WIDTH = 110
LEAST_WIDTH = SEEN_AT + 30


class Command(BaseCommand):
    help = (
        "Check how this site and its CRM get on: configuration, network, certificate, clock,"
        " signature, spelling of the domain, each category, one day of free times. Books nothing."
        " Exit status: 0 all is well, 1 something to look at, 2 something is wrong."
    )
    # A wrong configuration is the first finding.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = self._as_json() if options["json"] else self._as_table()
        if status := worst(findings).exit_status:
            sys.exit(status)

    def _as_json(self) -> list[Finding]:
        findings = list(examine())
        checks = [asdict(finding) for finding in findings]
        document = {"verdict": worst(findings), "checks": checks}
        self.stdout.write(json.dumps(document, ensure_ascii=False, indent=2))
        return findings

    def _as_table(self) -> list[Finding]:
        """Print row by row, because a check may wait for the CRM."""
        findings = []
        for finding in examine():
            findings.append(finding)
            self.stdout.write(self._row(finding))
            self.stdout.flush()
        self.stdout.write(f"\nAll in all: {worst(findings)}. Nothing was booked.")
        return findings

    def _row(self, finding: Finding) -> str:
        verdict = self._coloured(finding.verdict, f"{finding.verdict:<{VERDICT_WIDTH}}")
        first, *others = _lines(finding)
        return "\n".join([f"{verdict}{finding.check:<{CHECK_WIDTH}}{first}", *others])

    def _coloured(self, verdict: Verdict, text: str) -> str:
        """Colour a text by the verdict; Django omits colours outside a terminal."""
        colours = {
            Verdict.OK: self.style.SUCCESS,
            Verdict.WARNING: self.style.WARNING,
            Verdict.WRONG: self.style.ERROR,
        }
        return colours[verdict](text) if verdict in colours else text


def _lines(finding: Finding) -> Iterable[str]:
    """Lines of `seen` and `advice`, indented to their column."""
    width = max(shutil.get_terminal_size((PAGE_WIDTH, 24)).columns, LEAST_WIDTH) - SEEN_AT
    indent = " " * SEEN_AT
    seen = _wrapped(finding.seen, width) or [""]
    advice = _wrapped(finding.advice, width - 3)
    marks = ["-> ", *["   "] * len(advice)]
    told = [mark + text for mark, text in zip(marks, advice, strict=False)]
    return [seen[0], *(indent + text for text in (*seen[1:], *told))]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
