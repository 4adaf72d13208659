"""Errors of reads, one class for each reaction of a caller.

`str()` of each is a sentence for staff, without secret, token, phone or query string. `add` raises
none of these: it always returns an `AddReply`.
"""

from __future__ import annotations


class CRMError(Exception):
    """A read failed; nothing changed.

    `message` is the CRM's text, cleaned and capped, or "".
    """

    def __init__(self, text: str, *, message: str = "") -> None:
        super().__init__(text)
        self.message = message

    @property
    def kind(self) -> str:
        """The class as a label: "refused", "unavailable", "unreadable"..."""
        return type(self).__name__.removeprefix("CRM").lower()

    def __str__(self) -> str:
        text = str(self.args[0])
        return f'{text} The CRM says: "{self.message}"' if self.message else text


class CRMRefused(CRMError):
    """The CRM understood the request and declined it. A retry would get the same reply."""


class CRMUnavailable(CRMError):
    """No usable reply; a later try is safe.

    `retry_after`: the pause in seconds that the CRM asked for. `transient`: an immediate retry may
    succeed.
    """

    def __init__(
        self,
        text: str,
        *,
        message: str = "",
        retry_after: float | None = None,
        transient: bool = False,
    ) -> None:
        super().__init__(text, message=message)
        self.retry_after = retry_after
        self.transient = transient


class CRMMisconfigured(CRMUnavailable):
    """Wrong secret, domain, clock, host, method or certificate: an operator must act.

    `hints` are sentences for staff, the likeliest cause first.
    """

    def __init__(self, text: str, *, message: str = "", hints: tuple[str, ...] = ()) -> None:
        super().__init__(text, message=message)
        self.hints = hints


class CRMUnsigned(CRMMisconfigured):
    """The CRM rejects our signature, or refuses without a cause, which may mean the same."""


class CRMWrongAddress(CRMMisconfigured):
    """No CRM at this address, or not for this HTTP method."""


class CRMBusy(CRMUnavailable):
    """The CRM works, but asks for fewer calls (429)."""


class CRMUnreadable(CRMUnavailable):
    """The CRM replied in a shape, encoding or size that the client does not understand."""
