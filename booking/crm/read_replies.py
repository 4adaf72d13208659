"""Tell successful replies to a read from failed ones, and map failures to CRMError. Pure.

The server may send HTTP 200 with everything, so the worse of the HTTP status and the body's
`status_code` wins, and no text decides between success and failure.
"""

from __future__ import annotations

from collections.abc import Callable

from booking.crm.envelope import FAILED, Envelope, HTTPReply, decoded, enveloped
from booking.crm.errors import (
    CRMBusy,
    CRMError,
    CRMMisconfigured,
    CRMRefused,
    CRMUnavailable,
    CRMUnreadable,
    CRMUnsigned,
    CRMWrongAddress,
)

# Statuses that pass, besides 5xx: timeout, too early, too many requests.
PASSING = frozenset({408, 425, 429})
CLOCK_TOLERANCE = 60

# Repairs a known malformed text to JSON, or returns None.
Rescue = Callable[[str], str | None]


def successful_envelope(reply: HTTPReply, rescue: Rescue | None = None) -> Envelope:
    """Return the envelope of a successful read. Raises CRMError otherwise."""
    if reply.is_redirect:
        raise _moved(reply)
    try:
        envelope = _envelope(reply, rescue)
    except CRMUnreadable as exc:
        if reply.is_success:
            raise
        raise _http_error(reply, None) from exc
    if not reply.is_success:
        raise _http_error(reply, envelope)
    _require_success(reply, envelope)
    return envelope


def unreadable(reply: HTTPReply, why: str, envelope: Envelope | None = None) -> CRMUnreadable:
    message = envelope.message if envelope else ""
    return CRMUnreadable(f"{reply.request.what}: {why}.", message=message)


def clock_hints(reply: HTTPReply) -> tuple[str, ...]:
    """A hint if the two clocks differ enough for signatures to fail."""
    error = reply.clock_error
    if abs(error) <= CLOCK_TOLERANCE:
        return ()
    side = "ahead of" if error > 0 else "behind"
    return (f"This machine's clock is {abs(error):.0f} s {side} the CRM's.",)


def _envelope(reply: HTTPReply, rescue: Rescue | None) -> Envelope:
    text, remarks = decoded(reply)
    try:
        return enveloped(text, reply, remarks)
    except ValueError as exc:
        for rescued, remark in _rescued(text, rescue):
            try:
                return enveloped(rescued, reply, (*remarks, remark))
            except ValueError:
                continue
        raise unreadable(reply, f"the reply is not what was agreed ({exc})") from exc


def _rescued(text: str, rescue: Rescue | None) -> list[tuple[str, str]]:
    found = [(_after_noise(text), "A notice of PHP stood before the reply.")]
    if rescue:
        found.append((rescue(text), "The reply is the malformed JSON of the CRM's own manual."))
    return [(rescued, remark) for rescued, remark in found if rescued is not None]


def _after_noise(text: str) -> str | None:
    """The envelope, on a line of its own, behind the HTML of PHP's notices."""
    if not text.lstrip().startswith("<"):
        return None
    start = text.find('\n{"status_code"')
    return None if start < 0 else text[start:]


def _require_success(reply: HTTPReply, envelope: Envelope) -> None:
    if envelope.has_code and envelope.code != 200:
        raise _coded_error(reply, envelope)
    if envelope.tells_failure:
        raise _failed(reply, envelope.message)
    if not envelope.has_code and "data" not in envelope.fields:
        raise _failed(reply, envelope.message)
    if not envelope.has_code and not envelope.fields["data"]:
        raise unreadable(reply, "neither a status_code nor anything in data", envelope)


def _http_error(reply: HTTPReply, envelope: Envelope | None) -> CRMError:
    message = envelope.message if envelope else ""
    if reply.status in {401, 403}:
        return _unsigned(reply, message)
    if _is_passing(reply.status):
        return _away(reply, f"HTTP {reply.status}", message)
    if envelope and envelope.has_code:
        return _coded_error(reply, envelope)
    if reply.status in {404, 405}:
        return _wrong_address(reply)
    if envelope:
        return _declined(reply, envelope)
    return CRMMisconfigured(
        f"{reply.request.what}: HTTP {reply.status} without a word of the CRM.",
        hints=("MACROCRM_URL may not be the address of the CRM's API.",),
    )


def _coded_error(reply: HTTPReply, envelope: Envelope) -> CRMError:
    code = envelope.code
    if code is None or not 400 <= code < 600:
        what = f"HTTP {reply.status} with the status_code {code or 'unknown'} means nothing"
        return unreadable(reply, what, envelope)
    if code in {401, 403}:
        return _unsigned(reply, envelope.message)
    if _is_passing(code):
        return _away(reply, f"status_code {code}", envelope.message)
    return _declined(reply, envelope)


def _is_passing(code: int) -> bool:
    return code in PASSING or 500 <= code < 600


def _away(reply: HTTPReply, what: str, message: str) -> CRMUnavailable:
    wants_fewer = what.endswith(" 429")
    return (CRMBusy if wants_fewer else CRMUnavailable)(
        f"{reply.request.what}: {what}.",
        message=message,
        retry_after=reply.retry_after,
        transient=True,
    )


def _declined(reply: HTTPReply, envelope: Envelope) -> CRMError:
    if envelope.says(FAILED):
        return _failed(reply, envelope.message)
    return CRMRefused(f"{reply.request.what}: declined.", message=envelope.message)


def _failed(reply: HTTPReply, message: str) -> CRMUnsigned:
    """Map the generic refusal, which the CRM sends for wrong parameters and wrong signatures."""
    return CRMUnsigned(
        f"{reply.request.what}: refused without a cause.",
        message=message,
        hints=(*clock_hints(reply), *reply.request.suspects),
    )


def _unsigned(reply: HTTPReply, message: str) -> CRMUnsigned:
    return CRMUnsigned(
        f"{reply.request.what}: the CRM does not accept our signature.",
        message=message,
        hints=(*clock_hints(reply), *reply.request.suspects),
    )


def _wrong_address(reply: HTTPReply) -> CRMWrongAddress:
    return CRMWrongAddress(
        f"{reply.request.what}: HTTP {reply.status}.",
        hints=(
            "MACROCRM_URL may not be the address of the CRM's API.",
            "MACROCRM_METHOD may not be the one that this CRM wants.",
        ),
    )


def _moved(reply: HTTPReply) -> CRMMisconfigured:
    return CRMMisconfigured(
        f"{reply.request.what}: HTTP {reply.status}, a redirect, which is never followed.",
        hints=(f"MACROCRM_URL may have moved to {reply.target or 'another address'}.",),
    )
