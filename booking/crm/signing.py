"""The signature of a request. Pure: no clock, no socket."""

from __future__ import annotations

from hashlib import md5


def signed(*, domain: str, secret: str, at: int) -> dict[str, str]:
    """The three parameters that prove who asks, at `at` in unix seconds.

    The token covers the very strings that are sent, byte for byte: the domain is not converted
    between its Cyrillic and its xn-- spelling, nor is its case changed.
    """
    time = str(at)
    # MD5 is the CRM's choice. It proves the secret to a server reached over TLS, nothing else.
    digest = md5(f"{domain}{time}{secret}".encode(), usedforsecurity=False)
    return {"time": time, "domain": domain, "token": digest.hexdigest()}


def other_spelling(domain: str) -> str | None:
    """The same domain in its Cyrillic spelling for an xn-- one and the other way round.

    None when there is no other: the domain is plain ASCII, or not a domain at all.
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
    """What staff should check when the CRM does not accept a signature."""
    other = other_spelling(domain)
    spelling = f" Try its other spelling, {other}." if other else ""
    return (
        "MACROCRM_APP_SECRET may not be the one of this site.",
        f"MACROCRM_DOMAIN may not be spelt as it is registered in the CRM.{spelling}",
        "MACROCRM_URL may belong to another installation of the CRM.",
    )
