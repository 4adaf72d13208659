"""Whether the CRM knows who we are: secret, domain as it stands, and the HTTP method.

Proven with getReadyFlats, which changes nothing. Only here are other spellings of the domain tried,
never while the site runs: each try shows the CRM one more signed request.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from booking.crm import (
    CRMClient,
    CRMConfig,
    CRMError,
    CRMMisconfigured,
    CRMUnsigned,
    other_spelling,
)
from booking.crm_doctor.findings import Finding, Stage, Verdict, failure
from booking.crm_doctor.line import CLOCK_TOLERANCE, Line


def check(config: CRMConfig, line: Line) -> Stage[CRMConfig | None]:
    """Yield findings; return the configuration that the CRM accepts, or None."""
    began_at = time.monotonic()
    try:
        reply = CRMClient(config).ready_flats("")
    except CRMUnsigned as error:
        return (yield from _refused(config, line, error))
    except CRMError as error:
        yield failure("signature", error)
        # Other errors may concern this one read.
        return None if isinstance(error, CRMMisconfigured) else config
    seconds = time.monotonic() - began_at
    yield Finding("signature", Verdict.OK, f"accepted; answered in {seconds:.2f} s")
    yield Finding("domain", Verdict.OK, f"{described(config.domain)}: accepted as it stands")
    yield _who_answers(reply.stand_in)
    return config


def described(domain: str) -> str:
    """Describe the configured domain, and how the CRM may spell it."""
    oddities = _oddities(domain)
    return f"{domain} ({'; '.join(oddities)})" if oddities else domain


def _refused(config: CRMConfig, line: Line, error: CRMUnsigned) -> Stage[CRMConfig | None]:
    tried = []
    for setting, other in _variants(config):
        try:
            reply = CRMClient(other).ready_flats("")
        except CRMError:
            tried.append(setting)
            continue
        seen = f"refused as configured, accepted with {setting}"
        yield Finding("signature", Verdict.WRONG, seen, f"Set {setting}.")
        yield _who_answers(reply.stand_in)
        return other
    also = f" So it does with {' and with '.join(tried)}." if tried else ""
    yield Finding("signature", Verdict.WRONG, f"{error}{also}", " ".join(_suspects(config, line)))
    yield _unproven(config.domain)
    return None


def _variants(config: CRMConfig) -> Iterator[tuple[str, CRMConfig]]:
    """Other configurations that may be right."""
    if other := other_spelling(config.domain):
        yield f"MACROCRM_DOMAIN={other}", replace(config, domain=other)
    if config.method == "GET":
        # A server that ignores the query finds no signature.
        yield "MACROCRM_METHOD=POST", replace(config, method="POST")


def _suspects(config: CRMConfig, line: Line) -> Iterator[str]:
    """Settings to check, the likeliest first."""
    if abs(line.clock_error) > CLOCK_TOLERANCE:
        yield "Set this machine's clock first: it is the probable cause."
    yield "Compare MACROCRM_APP_SECRET with what MacroCRM shows for this site."
    yield "Compare MACROCRM_DOMAIN with the site's name there, letter by letter."
    yield f"See whether this installation of the CRM is the one at {config.base_url}."


def _unproven(domain: str) -> Finding:
    if not _oddities(domain):
        return Finding("domain", Verdict.NOT_CHECKED, f"{domain}: not accepted, nothing odd to see")
    advice = "It must stand in MACROCRM_DOMAIN exactly as it is registered in the CRM."
    return Finding("domain", Verdict.WARNING, described(domain), advice)


def _oddities(domain: str) -> list[str]:
    other = other_spelling(domain)
    found = {
        f"in national letters, otherwise {other}": not domain.isascii(),
        f"in xn-- spelling, otherwise {other}": domain.isascii() and bool(other),
        "with capital letters": domain != domain.lower(),
        "with www in front": domain.lower().startswith("www."),
        "with a dot at its end": domain.endswith("."),
        "with letters composed in an unusual way": not unicodedata.is_normalized("NFC", domain),
    }
    return [oddity for oddity, is_there in found.items() if is_there]


def _who_answers(stand_in: bool) -> Finding:
    if not stand_in:
        return Finding("who answers", Verdict.OK, "not the stand-in")
    return Finding(
        "who answers",
        Verdict.WARNING,
        "the stand-in, not a real CRM: what is booked here reaches nobody",
        "Set MACROCRM_URL before buyers come.",
    )
