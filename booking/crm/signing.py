"""Sign requests. Pure: no clock, no socket."""

from __future__ import annotations

from hashlib import md5


def signed(*, domain: str, secret: str, at: int) -> dict[str, str]:
    """Return the three parameters that sign a request, `at` in unix seconds.

    The token covers the strings exactly as sent: the domain keeps its case and its Cyrillic or xn--
    spelling.
    """
    time = str(at)
    # The CRM requires MD5. It only proves the secret to a server that is reached over TLS.
    digest = md5(f"{domain}{time}{secret}".encode(), usedforsecurity=False)
    return {"time": time, "domain": domain, "token": digest.hexdigest()}


def other_spelling(domain: str) -> str | None:
    """Convert a domain from xn-- to Cyrillic or back.

    None if there is no other spelling: plain ASCII, or no domain.
    """
    try:
        if domain.isascii():
            other = domain.encode("ascii").decode("idna")
        else:
            other = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return None if other.lower() == domain.lower() else other


def suspects(domain: str) -> tuple[str, ...]:
    """Settings to check when the CRM rejects a signature."""
    other = other_spelling(domain)
    spelling = f" Try its other spelling, {other}." if other else ""
    return (
        "MACROCRM_APP_SECRET may not be the one of this site.",
        f"MACROCRM_DOMAIN may not be spelt as it is registered in the CRM.{spelling}",
        "MACROCRM_URL may belong to another installation of the CRM.",
    )
