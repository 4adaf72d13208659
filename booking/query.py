"""The answers in the address: the URL is the state of the three steps."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from booking.models import Booking

ANSWERS = ("category", "house", "flat", "date", "start")
SOURCES = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref")
# As long as anything that the CRM lists or a campaign sends; the journal's columns are as wide.
LONGEST_ANSWER = 64
LONGEST_SOURCE = 200
# Stands for an answer that is longer or holds NUL: cut or cleaned, it could be taken for another.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
WALL_TIME = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class BookingQuery:
    """The answers so far, as texts.

    Nothing here is known to be right. `date` and `start` are parsed by `day` and `wall_start`, the
    rest is compared with what the CRM lists, byte for byte.
    """

    category: str = ""
    house: str = ""
    flat: str = ""
    date: str = ""
    start: str = ""
    source: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> BookingQuery:
        def answer(name: str) -> str:
            value = str(data.get(name, ""))
            return value if len(value) <= LONGEST_ANSWER and "\0" not in value else UNREADABLE

        def told(name: str) -> str:
            return str(data.get(name, "")).replace("\0", "")[:LONGEST_SOURCE]

        answers = {name: answer(name) for name in ANSWERS if name in data}
        source = {name: told(name) for name in SOURCES if name in data}
        return cls(**answers, source={name: value for name, value in source.items() if value})

    @classmethod
    def of_address(cls, request: HttpRequest) -> BookingQuery:
        """The answers in the address; none if it is unreadable."""
        try:
            return cls.read(request.GET)
        except SuspiciousOperation:
            return cls()

    @classmethod
    def of(cls, booking: Booking) -> BookingQuery:
        """The answers a booking was made with."""
        return cls(
            category=booking.category,
            house=booking.house_id,
            flat=booking.flat,
            start=booking.starts_at_local.strftime(WALL_TIME),
            source=booking.source,
        )

    @property
    def day(self) -> datetime.date | None:
        try:
            day = datetime.date.fromisoformat(self.date)
        except ValueError:
            return None
        # Not "20261201" either, nor "2026-W49-2": one day has one spelling.
        return day if day.isoformat() == self.date else None

    @property
    def wall_start(self) -> datetime.datetime | None:
        """The chosen start as naive wall time of the house."""
        try:
            start = datetime.datetime.fromisoformat(self.start)
        except ValueError:
            return None
        # Not "20261201T0900" either, nor with an offset: one time has one spelling.
        return start if start.strftime(WALL_TIME) == self.start else None

    @property
    def names_a_flat(self) -> bool:
        """Whether there is a flat and its house, listed or not."""
        return not {"", UNREADABLE} & {self.house, self.flat}

    def matches(self, booking: Booking) -> bool:
        """Whether a booking was made with these answers (its phone apart)."""
        names = ("category", "house", "flat", "start")
        made_with = BookingQuery.of(booking)
        return all(getattr(self, name) == getattr(made_with, name) for name in names)

    def replace(self, **changes: Any) -> BookingQuery:
        return replace(self, **changes)

    def fields(self, *names: str) -> list[tuple[str, str]]:
        """The named answers that are given, and the source, as hidden fields of a form."""
        given = [(name, getattr(self, name)) for name in names]
        return [(name, value) for name, value in (*given, *self.source.items()) if value]

    def choose_flat_url(self) -> str:
        names = ("category", "house", "flat", "date", "start")
        return self._url(_path("booking:choose_flat"), *names)

    def after_flat_url(self) -> str:
        """Where step 1 leads: to the times or, with a time chosen before, back to the last step."""
        return self.confirm_url() if self.start else self.choose_time_url()

    def choose_time_url(self) -> str:
        names = ("category", "house", "flat", "date", "start")
        return self._url(_path("booking:choose_time"), *names)

    def confirm_url(self) -> str:
        names = ("category", "house", "flat", "start")
        return self._url(_path("booking:confirm"), *names)

    def request_url(self, cause: str) -> str:
        """Where a visit is asked for that can't be booked."""
        url = self._url(reverse("booking:ask_for_visit"), "category", "house", "flat")
        return f"{url}{'&' if '?' in url else '?'}{_encoded('cause', cause)}"

    def booking_url(self, booking: Booking) -> str:
        """A booking's page, which tells what else was asked for."""
        return self._url(booking.get_absolute_url(), "start")

    def with_source(self, path: str) -> str:
        """The address of a page that is no step, with the campaign that the buyer came with."""
        return self._url(path)

    def _url(self, path: str, *names: str) -> str:
        query = "&".join(_encoded(name, value) for name, value in self.fields(*names))
        return f"{path}?{query}" if query else path


# A page has half a dozen addresses of the same answers.
@lru_cache(maxsize=1024)
def _encoded(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"


def _path(view: str) -> str:
    """Where a step is. A page needs it many times, and it never changes."""
    return _path_under(get_script_prefix(), view)


@lru_cache(maxsize=16)
def _path_under(_prefix: str, view: str) -> str:
    return reverse(view)
