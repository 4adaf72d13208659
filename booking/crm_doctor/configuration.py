"""Check the variables that concern the CRM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from booking.crm import CRMConfig
from booking.crm_doctor.findings import Finding, Verdict
from booking.crm_doctor.signature import described

ROW = "configuration"


def problems(sentences: Iterable[str]) -> Iterator[Finding]:
    """Errors of the system checks."""
    return (
        Finding(ROW, Verdict.WRONG, sentence, "Every variable is explained in .env.example.")
        for sentence in sentences
    )


def check(config: CRMConfig, categories: Sequence[str]) -> Iterator[Finding]:
    yield Finding(
        ROW,
        Verdict.OK,
        f"{config.base_url}, domain {described(config.domain)}; reads by {config.method};"
        f" {config.connect_timeout:g} s to connect, {config.read_timeout:g} s a call;"
        f" {', '.join(categories)}",
    )
    quoted = {"MACROCRM_DOMAIN": config.domain, "MACROCRM_APP_SECRET": config.secret}
    for name in (name for name, value in quoted.items() if _is_quoted(value)):
        advice = "Leave them out: only a .env file may have them; Docker's --env-file keeps them."
        yield Finding(ROW, Verdict.WARNING, f"{name} stands in quotation marks", advice)


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
