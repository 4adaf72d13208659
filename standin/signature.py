"""Whether a request is signed: md5 over the domain, the time and the secret, and a recent time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import md5
from hmac import compare_digest

from standin.state import State

CLOCK_TOLERANCE = 24 * 60 * 60


def is_valid(state: State, params: Mapping[str, str]) -> bool:
    """The digest is of the very bytes of `domain` and `time` that came."""
    domain, moment, token = params["domain"], params["time"], params["token"]
    signed = (domain + moment + state.secret).encode("utf-8", "surrogateescape")
    expected = md5(signed, usedforsecurity=False).hexdigest()  # the CRM's choice, not ours
    return (
        compare_digest(expected, token.encode("ascii", "replace").decode())
        and domain == state.domain
        and _is_recent(state, moment)
    )


def _is_recent(state: State, text: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        return False
    return abs(state.clock.timestamp() - int(text)) <= CLOCK_TOLERANCE
