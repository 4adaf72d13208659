"""Parse replies to getFreeTimes into the free starts of one day. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from booking.crm import read_replies
from booking.crm.envelope import Envelope, HTTPReply
from booking.crm.houses import items_of, oddities
from booking.crm.types import FreeTimes

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_RANGE = re.compile(r"([0-9:]{4,8})\s*[-–—]\s*[0-9:]{4,8}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+")

# The sample in the CRM's manual is no JSON: {"status_code":200,"data":{"08:30","17":"13:30",},...}.
# Accepted in exactly this form. The quantifiers are possessive, so that no text makes the search
# slow.
_ENTRY = r'\s*+(?:"[0-9]++"\s*+:\s*+)?+"([0-9:]{4,8}+)"\s*+'
_ENTRIES = rf"{_ENTRY}(?:,{_ENTRY})*+,?+\s*+"
_MANUAL = re.compile(
    r'\s*+\{\s*+"status_code"\s*+:\s*+"?+200"?+\s*+,'
    rf'\s*+"data"\s*+:\s*+(?:\{{(?P<braces>{_ENTRIES})\}}|\[(?P<brackets>{_ENTRIES})\])\s*+,'
    r'\s*+"message"\s*+:\s*+"[^"\\]*+"\s*+,?+\s*+\}\s*+'
)


def free_times(reply: HTTPReply, midnight: datetime) -> FreeTimes:
    """Parse the free starts of the day that begins at `midnight` (aware). Raises CRMError.

    Order and keys of the reply are ignored. A reply without one readable entry is an error, never
    "no free time".
    """
    envelope = read_replies.successful_envelope(reply, rescue=from_manual)
    reading = _Reading(midnight, list(envelope.remarks))
    items = _time_items(reply, envelope, reading)
    for item in items:
        reading.add(item)
    if items and not reading.times:
        raise read_replies.unreadable(reply, "not one time of the reply is readable", envelope)
    reading.remarks.extend(oddities(envelope))
    return FreeTimes(
        times=tuple(sorted(reading.times)),
        stand_in=reply.stand_in,
        remarks=tuple(dict.fromkeys(reading.remarks)),
    )


def from_manual(text: str) -> str | None:
    """Repair the malformed sample of the manual to JSON; None for any other text."""
    match = _MANUAL.fullmatch(text)
    if match is None:
        return None
    entries = match["braces"] or match["brackets"]
    starts = ",".join(re.findall(r'"[0-9]+:[0-9:]+"', entries))
    return f'{{"status_code":200,"data":[{starts}]}}'


@dataclass(slots=True)
class _Reading:
    """The times parsed so far, and the remarks about them."""

    midnight: datetime
    remarks: list[str]
    times: set[time] = field(default_factory=set)

    def add(self, item: object) -> None:
        start = self._start(item)
        if start is None:
            self.remarks.append("An entry that is no time of this day was left out.")
        else:
            self.times.add(start)

    def _start(self, item: object) -> time | None:
        if isinstance(item, dict):
            return self._only_time_of(item)
        if not isinstance(item, str):
            return None
        return _clock(item) or self._start_of_range(item) or self._clock_of_moment(item)

    def _only_time_of(self, item: dict[str, Any]) -> time | None:
        starts = [start for value in item.values() if (start := _clock(value)) is not None]
        # A boolean beside the time may mean "busy".
        is_plain = not any(isinstance(value, bool) for value in item.values())
        if len(starts) != 1 or not is_plain:
            return None
        self.remarks.append("Times come as objects.")
        return starts[0]

    def _start_of_range(self, item: str) -> time | None:
        match = _RANGE.fullmatch(item.strip())
        start = _clock(match[1]) if match else None
        if start is not None:
            self.remarks.append("Times come as ranges.")
        return start

    def _clock_of_moment(self, item: str) -> time | None:
        if not _MOMENT.fullmatch(item):
            return None
        try:
            moment = datetime.fromisoformat(item)
        except ValueError:
            return None
        wall = moment.replace(tzinfo=self.midnight.tzinfo)
        is_ours = wall.date() == self.midnight.date() and moment.utcoffset() == wall.utcoffset()
        if not is_ours:
            return None
        self.remarks.append("Times come with their date.")
        return wall.time()


def _time_items(reply: HTTPReply, envelope: Envelope, reading: _Reading) -> list[Any]:
    data = envelope.fields.get("data", 0)
    if data is False or data == "":
        reading.remarks.append("No free time was told in an unusual way.")
        return []
    items = items_of(data)
    if items is None:
        raise read_replies.unreadable(reply, "the reply has no list of times", envelope)
    nested = _list_in(items[0]) if isinstance(data, dict) and len(items) == 1 else None
    if nested is None:
        return items
    reading.remarks.append("The times stand one level deeper.")
    return nested


def _list_in(value: object) -> list[Any] | None:
    is_list = isinstance(value, list) or (isinstance(value, dict) and all(map(str.isdigit, value)))
    return items_of(value) if is_list else None


def _clock(value: object) -> time | None:
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    return time(hour, minute) if hour < 24 and minute < 60 else None
