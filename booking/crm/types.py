"""The client's data classes: configuration, requests and parsed replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class CRMConfig:
    """How to reach one installation of MacroCRM.

    `base_url` has no path. `domain` is spelt exactly as in the CRM, because it is signed.
    `method` is the HTTP method of the two reads: "POST" (a form) or "GET" (a query). `read_timeout`
    covers one whole call with its retry; both timeouts are in seconds.
    """

    base_url: str
    domain: str
    secret: str = field(repr=False)
    method: str = "POST"
    connect_timeout: float = 3.0
    read_timeout: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """The result of a call, for logs and metrics, without the data sent or received.

    `method` is its name in the CRM's API. `outcome` is "answered" or "failed" for a read, an
    AddOutcome for a booking; `reason` says more. `http_status` is that of the last complete reply.
    `seconds` covers the whole call with all its tries. `retry_after` is the pause in seconds that
    the CRM asked for, if it did.
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
        """Whether the CRM rejects the site itself: its secret, domain, clock or address."""
        return self.reason in {"misconfigured", "unsigned", "wrongaddress"}


@dataclass(frozen=True, slots=True)
class ListedFlat:
    """An object to hand over. `number` is sent back unchanged, `label` is shown."""

    number: str
    label: str


@dataclass(frozen=True, slots=True)
class ListedHouse:
    """A house as the CRM lists it, possibly without flats."""

    id: str
    title: str
    flats: tuple[ListedFlat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFlats:
    """What is ready for handover in one category, in the CRM's order.

    `remarks` tell staff about oddities of the reply. `stand_in`: it did not come from a real CRM.
    """

    houses: tuple[ListedHouse, ...]
    stand_in: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTimes:
    """The free starts of one day at one house: in its wall time, sorted, unique."""

    times: tuple[time, ...]
    stand_in: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRequest:
    """What to book. `starts_at` is aware, in the house's zone; `phone` is E.164."""

    house_id: str
    flat: str
    category: str
    starts_at: datetime
    phone: str = field(repr=False)


class AddOutcome(StrEnum):
    """How `add` ended. In doubt is neither success nor failure, and is never sent again."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    IN_DOUBT = "in_doubt"


class Reason(StrEnum):
    """Why `add` ended so."""

    NONE = ""
    # refused
    SLOT_TAKEN = "slot_taken"
    # No such flat, or another phone: one reason, or a stranger would learn whose flat it is.
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
    # Readable, but neither confirmed nor refused: no status_code, or an unknown one.
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddReply:
    """What became of an AddRequest.

    `status_code` is the one in the body. `message` is the CRM's text, cleaned, capped and without
    the phone; nothing is decided by it. `reference` is the CRM's id of the booking, if it sent one.
    `seconds` is the duration of the call.
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
