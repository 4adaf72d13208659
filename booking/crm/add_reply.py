"""Parse replies to `add` into an outcome. Pure.

A wrong "confirmed" sends a buyer to a closed door; a wrong "refused" makes two bookings of one. So
"confirmed" needs every sign to agree, "refused" needs the CRM to say so, and all else is in doubt.
No text decides, except that the two known texts can contradict the codes beside them.
"""

from __future__ import annotations

from booking.crm.envelope import FAILED, THANKS, Envelope, HTTPReply, body_says, decoded, enveloped
from booking.crm.errors import CRMUnreadable
from booking.crm.read_replies import PASSING, clock_hints
from booking.crm.types import AddOutcome, AddReply, Reason

REFERENCE_LIMIT = 64
# Text of sibling methods that reject a signature without a code. It only selects the reason.
UNAUTHENTICATED = "Request not authenticated"

Verdict = tuple[AddOutcome, Reason]

_REFUSALS = {
    401: Reason.MISCONFIGURED,
    403: Reason.NO_MATCH,
    404: Reason.NO_MATCH,
    405: Reason.MISCONFIGURED,
    409: Reason.SLOT_TAKEN,
    429: Reason.BUSY,
}
# HTTP statuses without an envelope: the CRM itself has not looked at the flat or the phone.
_BARE_REFUSALS = {
    401: Reason.MISCONFIGURED,
    403: Reason.MISCONFIGURED,
    404: Reason.MISCONFIGURED,
    405: Reason.MISCONFIGURED,
    429: Reason.BUSY,
}


def add_reply(reply: HTTPReply) -> AddReply:
    """Judge a complete HTTP reply to `add`. Never raises."""
    if reply.is_redirect:
        target = reply.target or "another address"
        remark = f"The CRM redirects to {target}: MACROCRM_URL may have moved."
        return _reply(reply, _in_doubt(Reason.REDIRECTED), (remark,))
    try:
        text, remarks = decoded(reply)
        envelope = enveloped(text, reply, remarks)
    except (CRMUnreadable, ValueError):
        return _reply(reply, _by_status(reply))
    return _enveloped_reply(reply, envelope)


def _enveloped_reply(reply: HTTPReply, envelope: Envelope) -> AddReply:
    remarks = list(envelope.remarks)
    if envelope.errors:
        remarks.append(f"Errors are told about: {', '.join(envelope.errors)}.")
    return _reply(reply, _judged(reply, envelope), tuple(remarks), envelope)


def _reply(
    reply: HTTPReply,
    verdict: Verdict,
    remarks: tuple[str, ...] = (),
    envelope: Envelope | None = None,
) -> AddReply:
    outcome, reason = verdict
    if reason is Reason.MISCONFIGURED:
        remarks = (*remarks, *clock_hints(reply), *reply.request.suspects)
    return AddReply(
        outcome=outcome,
        reason=reason,
        http_status=reply.status,
        status_code=envelope.code if envelope else None,
        message=envelope.message if envelope else "",
        reference=_reference(envelope) if envelope else "",
        remarks=remarks,
        stand_in=reply.stand_in,
    )


def _by_status(reply: HTTPReply) -> Verdict:
    """Judge a reply without an envelope of the CRM."""
    if _is_server_side(reply.status):
        return _in_doubt(Reason.SERVER_ERROR)
    if body_says(reply, THANKS) or body_says(reply, FAILED):
        return _in_doubt(Reason.UNREADABLE)
    if reply.status in _BARE_REFUSALS:
        return _refused(_BARE_REFUSALS[reply.status])
    return _in_doubt(Reason.UNREADABLE)


def _judged(reply: HTTPReply, envelope: Envelope) -> Verdict:
    code = envelope.code
    if _is_server_side(reply.status) or _is_server_side(code):
        return _in_doubt(Reason.SERVER_ERROR)
    if not reply.is_success and not _is_refusal(reply.status):
        return _in_doubt(Reason.UNCONFIRMED)
    if envelope.says(FAILED) or envelope.has_duplicates:
        return _in_doubt(Reason.CONTRADICTION)
    refuses = _is_refusal(reply.status) or _is_refusal(code) or envelope.tells_failure
    if refuses:
        return _refusal(reply, envelope)
    if code != 200:
        return _in_doubt(Reason.UNCONFIRMED)
    return _agreed(reply, envelope)


def _agreed(reply: HTTPReply, envelope: Envelope) -> Verdict:
    if envelope.errors:
        return _in_doubt(Reason.CONTRADICTION)
    # 202 means "received": the CRM decides later.
    if reply.status == 202:
        return _in_doubt(Reason.UNCONFIRMED)
    return AddOutcome.CONFIRMED, Reason.NONE


def _refusal(reply: HTTPReply, envelope: Envelope) -> Verdict:
    code = envelope.code
    body_refuses = _is_refusal(code) or envelope.tells_failure
    body_differs = not body_refuses and (envelope.has_code or envelope.tells_success)
    if envelope.says(THANKS) or body_differs:
        return _in_doubt(Reason.CONTRADICTION)
    if not envelope.has_code and reply.status in _BARE_REFUSALS:
        return _refused(_BARE_REFUSALS[reply.status])
    if envelope.says(UNAUTHENTICATED):
        return _refused(Reason.MISCONFIGURED)
    decisive = code if _is_refusal(code) else reply.status
    return _refused(_REFUSALS.get(decisive or 0, Reason.DECLINED))


def _is_refusal(code: int | None) -> bool:
    return code is not None and 400 <= code < 500


def _is_server_side(code: int | None) -> bool:
    """5xx, or a 4xx that leaves open whether the request was processed. 429 does not."""
    return code is not None and (500 <= code < 600 or code in PASSING - {429})


def _refused(reason: Reason) -> Verdict:
    return AddOutcome.REFUSED, reason


def _in_doubt(reason: Reason) -> Verdict:
    return AddOutcome.IN_DOUBT, reason


def _reference(envelope: Envelope) -> str:
    data = envelope.fields.get("data")
    value = data.get("id") if isinstance(data, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return envelope.kept(str(value), REFERENCE_LIMIT)
