"""Parse replies to getReadyFlats into houses with flats. Pure.

PHP writes a list as a list or as an object with arbitrary keys, so both are accepted and keys are
ignored. What cannot be sent back exactly as it came is skipped with a remark.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from booking.crm import read_replies
from booking.crm.envelope import FAILED, Envelope, HTTPReply
from booking.crm.text import is_sendable, plain
from booking.crm.types import ListedFlat, ListedHouse, ReadyFlats

# Longest id and number that fit a booking's columns.
KEY_LIMIT = 64


def ready_flats(reply: HTTPReply) -> ReadyFlats:
    """Parse the houses of a reply. Raises CRMError, also if the list is missing."""
    envelope = read_replies.successful_envelope(reply)
    reading = _Reading(list(envelope.remarks))
    items = _house_items(reply, envelope, reading)
    for item in items:
        reading.add_house(item)
    if items and not reading.titles:
        raise read_replies.unreadable(reply, "not one house of the reply is readable", envelope)
    reading.remarks.extend(oddities(envelope))
    return ReadyFlats(
        houses=reading.houses(),
        stand_in=reply.stand_in,
        remarks=tuple(dict.fromkeys(reading.remarks)),
    )


def oddities(envelope: Envelope) -> Iterable[str]:
    """Remarks that apply to any successful read."""
    if not envelope.has_code:
        yield "The reply has no status_code."
    if envelope.says(FAILED):
        yield "The reply speaks of an error although its status_code is 200."
    meta = envelope.fields.get("meta")
    if isinstance(meta, dict) and meta.get("next"):
        yield "The reply may be one page of several."


def items_of(value: object) -> list[Any] | None:
    """The items of a list as PHP may write it; None if the value is no list."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [] if value is None else None


@dataclass(slots=True)
class _Reading:
    """The houses parsed so far, by id, and the remarks about them."""

    remarks: list[str]
    titles: dict[str, str] = field(default_factory=dict)
    flats: dict[str, dict[str, ListedFlat]] = field(default_factory=dict)

    def add_house(self, item: object) -> None:
        house_id = _key(item.get("id")) if isinstance(item, dict) else None
        if not isinstance(item, dict) or house_id is None:
            self.remarks.append("A house without a usable id was left out.")
            return
        if house_id in self.titles:
            self.remarks.append("A house is listed twice.")
        self.titles.setdefault(house_id, _title(item.get("title"), house_id))
        self._add_flats(self.flats.setdefault(house_id, {}), item.get("flats"))

    def houses(self) -> tuple[ListedHouse, ...]:
        return tuple(
            ListedHouse(id=house_id, title=title, flats=tuple(self.flats[house_id].values()))
            for house_id, title in self.titles.items()
        )

    def _add_flats(self, flats: dict[str, ListedFlat], value: object) -> None:
        items = items_of(value)
        if items is None:
            self.remarks.append("The flats of a house are no list.")
        for item in items or ():
            number = _key(item)
            if number is None:
                self.remarks.append("A flat without a usable number was left out.")
            elif number in flats:
                self.remarks.append("A flat is listed twice.")
            else:
                flats[number] = ListedFlat(number=number, label=plain(number) or number)


def _house_items(reply: HTTPReply, envelope: Envelope, reading: _Reading) -> list[Any]:
    data = envelope.fields.get("data", False)
    if isinstance(data, dict) and "houses" in data:
        items = items_of(data["houses"])
    else:
        items = items_of(data)
        if items and all(_is_like_a_house(item) for item in items):
            reading.remarks.append("The houses stand directly in data.")
        elif items:
            items = None
    if items is None:
        raise read_replies.unreadable(reply, "the reply has no list of houses", envelope)
    return items


def _is_like_a_house(item: object) -> bool:
    return isinstance(item, dict) and "id" in item and "flats" in item


def _key(value: object) -> str | None:
    """An id or number as it will be sent back; None if it can't be sent unchanged."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and is_sendable(value, KEY_LIMIT) else None


def _title(value: object, house_id: str) -> str:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    # In Russian, like the other titles of the CRM.
    return (plain(str(value)) if is_text else "") or plain(f"Дом {house_id}")
