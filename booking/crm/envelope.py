"""Decode the envelope that replies of all three methods share: bytes -> text -> JSON. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from booking.crm.errors import CRMUnreadable
from booking.crm.masking import masked_plain
from booking.crm.text import MESSAGE_LIMIT, RAW_LIMIT

# The two known texts of real replies. Alone they decide nothing; they show that a reply contradicts
# itself.
THANKS = "Спасибо! Мы записали Вас на указанное время"
FAILED = "Ошибка обработки запроса"

LONGEST_WAIT = 3600.0
# Most names of `errors` that are kept, and characters of each.
MOST_NAMES, NAME_LIMIT = 10, 64
# Twice as long as any HTTP date.
DATE_LIMIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """What may be kept of a request.

    `what` names it for staff. `mask` hides secret, token and phone in what the CRM repeats.
    `suspects` are the settings to check when the signature is refused.
    """

    what: str
    mask: Callable[[str], str]
    suspects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPReply:
    """One complete HTTP reply. `headers` have lower-case names; `received_at` is unix time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: float
    request: RequestSummary

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status < 400

    @property
    def stand_in(self) -> bool:
        return bool(self.headers.get("x-stand-in"))

    @property
    def target(self) -> str:
        """The target of a redirect, without its query, which may hold a token."""
        place = re.split("[?#]", self.headers.get("location", ""), maxsplit=1)[0]
        return masked_plain(place, self.request.mask, MESSAGE_LIMIT)

    @property
    def retry_after(self) -> float | None:
        """The pause that the CRM asks for, in seconds, capped; None if it asks for none."""
        asked = self.headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit():
            return min(float(asked[:9]), LONGEST_WAIT)
        moment = _unix_time(asked)
        return None if moment is None else min(max(moment - self.received_at, 0.0), LONGEST_WAIT)

    @property
    def clock_error(self) -> float:
        """Seconds that our clock is ahead of the CRM's; 0 without a Date header."""
        moment = _unix_time(self.headers.get("date", ""))
        return 0.0 if moment is None else self.received_at - moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The top-level object of a reply."""

    fields: dict[str, Any]
    mask: Callable[[str], str]
    remarks: tuple[str, ...] = ()
    has_duplicates: bool = False

    @property
    def has_code(self) -> bool:
        return self.fields.get("status_code") is not None

    @property
    def code(self) -> int | None:
        """`status_code` as a number: from 200, 200.0 or "200", but not from true or "200 OK"."""
        return _code(self.fields.get("status_code"))

    @property
    def tells_failure(self) -> bool:
        """Whether `error` is truthy or `success` falsy, as PHP would see it."""
        success = self.fields.get("success")
        return _is_true(self.fields.get("error")) or (success is not None and not _is_true(success))

    @property
    def tells_success(self) -> bool:
        return _is_true(self.fields.get("success"))

    @property
    def errors(self) -> tuple[str, ...]:
        """The names of the fields in `errors`; "?" if it gives none."""
        errors = self.fields.get("errors")
        if not errors:
            return ()
        if not isinstance(errors, dict):
            return ("?",)
        return tuple(self.kept(str(name), NAME_LIMIT) for name in islice(errors, MOST_NAMES))

    @property
    def message(self) -> str:
        """The CRM's text, for people; no code decides by it."""
        return next((self.kept(text) for text in self._texts()), "")

    def says(self, known: str) -> bool:
        return any(_folded(known) in _folded(text[:RAW_LIMIT]) for text in self._texts())

    def kept(self, text: str, limit: int = MESSAGE_LIMIT) -> str:
        """Mask and cut a text of the CRM, so that it may be kept and shown."""
        return masked_plain(text, self.mask, limit)

    def _texts(self) -> list[str]:
        texts = (self.fields.get(name) for name in ("message", "error", "name"))
        return [text for text in texts if isinstance(text, str) and text.strip()]


def decoded(reply: HTTPReply) -> tuple[str, tuple[str, ...]]:
    """Return the body as text, and remarks about its encoding. Raises CRMUnreadable."""
    if not reply.body.strip():
        raise CRMUnreadable(f"{reply.request.what}: the reply has no body.", transient=True)
    text = _utf8(reply.body)
    if text is not None:
        return text, ()
    if "windows-1251" not in reply.headers.get("content-type", "").lower():
        raise CRMUnreadable(f"{reply.request.what}: the reply is not UTF-8.")
    # "replace": one byte of this code page has no character.
    return reply.body.decode("windows-1251", "replace"), ("The reply is in windows-1251.",)


def parsed(text: str) -> tuple[Any, bool]:
    """Return the JSON value, and whether an object repeats a name. Raises ValueError.

    Strict: no NaN, no Infinity, no extreme nesting or numbers.
    """
    duplicates = False

    def to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal duplicates
        fields = dict(pairs)
        duplicates = duplicates or len(fields) < len(pairs)
        return fields

    failure = ""
    try:
        value = json.loads(text, object_pairs_hook=to_dict, parse_constant=_refuse)
    except (ValueError, RecursionError) as exc:
        failure = str(exc)
    if failure:
        # Outside the handler: the parser's error carries the whole body.
        raise ValueError(failure)
    return value, duplicates


def enveloped(text: str, reply: HTTPReply, remarks: tuple[str, ...] = ()) -> Envelope:
    """Parse strict JSON into an Envelope. Raises ValueError."""
    value, has_duplicates = parsed(text)
    if not isinstance(value, dict):
        raise ValueError("the top level is no object")  # noqa: TRY004 - a wrong text, not our slip
    if has_duplicates:
        remarks = (*remarks, "A name occurs twice in one object.")
    return Envelope(
        fields=value, mask=reply.request.mask, remarks=remarks, has_duplicates=has_duplicates
    )


def body_says(reply: HTTPReply, known: str) -> bool:
    """Whether the raw body contains a known text."""
    return _folded(known) in _folded(reply.body.decode(errors="replace"))


def _utf8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _code(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{3}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= 999 and value == int(value) else None


def _is_true(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in {"", "0", "false"}
    return bool(value)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unix_time(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date[:DATE_LIMIT]).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
