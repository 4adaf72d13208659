"""What goes to the CRM and what comes from it, in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class CRMConfig:
    """How to reach one installation of MacroCRM.

    `base_url` has no path. `domain` stands exactly as registered in the CRM: it is signed and sent
    byte for byte. `method` is how the two reads are sent: "POST" (a form) or "GET" (a query).
    `read_timeout` is what one call may take in all, its retry included; both are in seconds.
    """

    base_url: str
    domain: str
    secret: str = field(repr=False)
    method: str = "POST"
    connect_timeout: float = 3.0
    read_timeout: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What a call came to, for whoever watches; nothing of what was asked or answered.

    `method` is the CRM's name for what was called. `outcome` is "answered" or "failed" for a read,
    an AddOutcome for a booking; `reason` says more. `http_status` is that of the last complete
    answer. `seconds` are those of the whole call, all its tries together. `retry_after` is the
    pause in seconds that the CRM asked for, if it did.
    """

    method: str
    outcome: str
    reason: str
    http_status: int | None
    tries: int
    seconds: float
    retry_after: float | None = None

    @property
    def refuses_site(self) -> bool:
        """Whether the CRM refuses the site itself: its secret, domain, clock or address."""
        return self.reason in {"misconfigured", "unsigned", "wrongaddress"}


@dataclass(frozen=True, slots=True)
class ListedFlat:
    """Something to hand over. `number` goes back to the CRM byte for byte, `label` is shown."""

    number: str
    label: str


@dataclass(frozen=True, slots=True)
class ListedHouse:
    """A house as the CRM lists it. Without flats it has nothing to offer."""

    id: str
    title: str
    flats: tuple[ListedFlat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFlats:
    """What is ready for handover in one category, in the CRM's order.

    `remarks` tell staff what was odd about the reply; empty when nothing was. `stand_in` says that
    the reply did not come from a real CRM.
    """

    houses: tuple[ListedHouse, ...]
    stand_in: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTimes:
    """The free starts of one day at one house: wall time of the house, sorted, each once."""

    times: tuple[time, ...]
    stand_in: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRequest:
    """What is booked. `starts_at` is aware, in the house's own zone; `phone` is E.164."""

    house_id: str
    flat: str
    category: str
    starts_at: datetime
    phone: str = field(repr=False)


class AddOutcome(StrEnum):
    """How a booking ended. In doubt is neither success nor failure and is never sent again."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"


class Reason(StrEnum):
    """Why a booking ended so."""

    NONE = ""
    # refused
    SLOT_TAKEN = "slot_taken"
    # No such flat, or not your phone: one reason, so that nobody learns whose flat it is.
    NO_MATCH = "no_match"
    BUSY = "busy"
    MISCONFIGURED = "misconfigured"
    DECLINED = "declined"
    # not sent
    UNREACHABLE = "unreachable"
    # in doubt
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    CONTRADICTION = "contradiction"
    SERVER_ERROR = "server_error"
    REDIRECTED = "redirected"
    # Understood, but neither a yes nor a no: no status_code, or one that means neither.
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReply:
    """What became of a booking.

    `status_code` is the one in the body. `message` is the CRM's own text, cleaned, capped, without
    the phone; it never decided anything. `reference` is the CRM's id of the booking, if there was
    one. `seconds` is how long the call took.
    """

    outcome: AddOutcome
    reason: Reason = Reason.NONE
    http_status: int | None = None
    status_code: int | None = None
    message: str = ""
    reference: str = ""
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    stand_in: bool = False
