"""A failed request without the exception, which would carry the signed body."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from booking.crm.deadline import Call
from booking.crm.errors import CRMMisconfigured, CRMUnavailable, CRMUnreadable
from booking.crm.types import AddOutcome, AddReply, Reason


class ReplyTooLong(OSError):
    """The reply is longer than its limit."""


class BrokenCompression(OSError):
    """The compressed body can't be decoded."""


class TransportError(Exception):
    """No complete reply. `is_sent`: a first byte of the request was given to the network."""

    def __init__(self, sentence: str, *, cause: type[BaseException], is_sent: bool) -> None:
        super().__init__(sentence)
        self.is_sent = is_sent
        self._cause = cause

    @property
    def is_transient(self) -> bool:
        """Whether an immediate retry may succeed."""
        return not issubclass(self._cause, ssl.SSLCertVerificationError | ReplyTooLong)

    def as_read_error(self) -> CRMUnavailable:
        if issubclass(self._cause, ssl.SSLCertVerificationError):
            hint = "MACROCRM_URL may name another host than the certificate does, or it ran out."
            return CRMMisconfigured(str(self), hints=(hint,))
        if issubclass(self._cause, ReplyTooLong | BrokenCompression):
            return CRMUnreadable(str(self), transient=self.is_transient)
        return CRMUnavailable(str(self), transient=True)

    def as_add_reply(self) -> AddReply:
        remarks = (str(self),)
        if not self.is_sent:
            reason = Reason.UNREACHABLE
            return AddReply(outcome=AddOutcome.NOT_SENT, reason=reason, remarks=remarks)
        is_unreadable = issubclass(self._cause, ReplyTooLong | BrokenCompression)
        reason = Reason.UNREADABLE if is_unreadable else Reason.NO_ANSWER
        return AddReply(outcome=AddOutcome.IN_DOUBT, reason=reason, remarks=remarks)


def transport_error(error: BaseException, what: str, call: Call) -> TransportError:
    """Make a TransportError of a library's exception, dropping the request it carries."""
    for cause in _chain(error):
        sentence = _sentence(cause, call)
        if sentence:
            return TransportError(f"{what}: {sentence}.", cause=type(cause), is_sent=call.is_sent)
    broken = "the connection broke off" if call.is_sent else "no connection"
    sentence = f"{what}: {broken} ({type(error).__name__})."
    return TransportError(sentence, cause=type(error), is_sent=call.is_sent)


def _sentence(cause: BaseException, call: Call) -> str:
    match cause:
        case ssl.SSLCertVerificationError():
            return f"the host's certificate is not to be trusted ({cause.verify_message})"
        case socket.gaierror():
            return "the host has no address"
        case ReplyTooLong():
            return "the reply is too long"
        case BrokenCompression():
            return "the reply's compression is broken"
        case TimeoutError() if call.is_sent:
            return f"no complete reply within {call.total:g} s"
        case TimeoutError():
            return f"no connection within {min(call.connect, call.total):g} s"
        case ConnectionRefusedError():
            return "the host refuses connections"
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those inside it: causes, contexts and arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, *current.args)
        waiting.extend(item for item in inner if isinstance(item, BaseException))
