"""What can go wrong when the CRM is asked something: one class per thing the caller can do.

`str()` of each is a sentence for staff and holds no secret, token, phone or address with a query.
Booking raises none of these: it always ends in an `AddReply`.
"""

from __future__ import annotations


class CRMError(Exception):
    """A read failed; nothing changed.

    `message` is what the CRM itself said, cleaned and capped, or "".
    """

    def __init__(self, text: str, *, message: str = "") -> None:
        super().__init__(text)
        self.message = message

    @property
    def kind(self) -> str:
        """The class in one word: "refused", "unavailable", "unreadable"..."""
        return type(self).__name__.removeprefix("CRM").lower()

    def __str__(self) -> str:
        text = str(self.args[0])
        return f'{text} The CRM says: "{self.message}"' if self.message else text


class CRMRefused(CRMError):
    """The CRM understood what was asked and declined it: asking again gives the same."""


class CRMUnavailable(CRMError):
    """No usable reply; trying later is safe.

    `retry_after` is the pause in seconds that the CRM asked for, if it did. `transient` says that
    the next try may well succeed.
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
    """Secret, domain, clock, host, method or certificate: an operator must act.

    `hints` are sentences for staff, the likeliest cause first.
    """

    def __init__(self, text: str, *, message: str = "", hints: tuple[str, ...] = ()) -> None:
        super().__init__(text, message=message)
        self.hints = hints


class CRMUnsigned(CRMMisconfigured):
    """The CRM does not accept our signature, or refuses without a cause, as it may do then too."""


class CRMWrongAddress(CRMMisconfigured):
    """Nothing of the CRM's answers at this address, or not to this HTTP method."""


class CRMBusy(CRMUnavailable):
    """The CRM wants fewer calls: it is there, and works."""


class CRMUnreadable(CRMUnavailable):
    """The CRM answered, but not in a shape, encoding or size we understand."""
