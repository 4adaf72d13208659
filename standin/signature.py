"""Who is asking: md5 over the domain, the time and the secret, and how recent the time is."""

from __future__ import annotations

import re
from hashlib import md5
from hmac import compare_digest

from standin.context import FAILED, Desk, Params, Refusal


def check_signature(desk: Desk, params: Params) -> None:
    """md5 over the very bytes of `domain` and `time` that came. Raises Refusal."""
    if not all(params.get(name) for name in ("domain", "time", "token")):
        raise Refusal(400, FAILED)
    domain, moment, token = params["domain"], params["time"], params["token"]
    signed = (domain + moment + desk.secret).encode("utf-8", "surrogateescape")
    expected = md5(signed, usedforsecurity=False).hexdigest()  # the CRM's choice, not ours
    is_ours = compare_digest(expected, token.encode("ascii", "replace").decode())
    if not (is_ours and _is_registered(desk, domain) and _is_recent(desk, moment)):
        raise Refusal(401, "Неверный токен")


def _is_registered(desk: Desk, domain: str) -> bool:
    registered = desk.domain
    if desk.switches.registered_domain == "punycode":
        registered = registered.encode("idna").decode()
    if desk.switches.domain_case == "ignored":
        return domain.casefold() == registered.casefold()
    return domain == registered


def _is_recent(desk: Desk, text: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        return False
    moments = [int(text)]
    if desk.switches.milliseconds == "accepted":
        moments.append(int(text) // 1000)
    tolerance = desk.switches.clock_tolerance
    now = desk.clock.timestamp()
    return tolerance is None or any(abs(now - moment) <= tolerance for moment in moments)
