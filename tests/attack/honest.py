"""Honest buyers, who look at pages and book while an attack goes on."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from tests.attack.scene import Scene
from tests.journey import answers
from tests.torture.browser import Broken

# Of the scene's houses: none that is attacked.
HOUSE = 1
PAUSE = 0.05  # seconds between two pages of the one who looks
EVERY = 3.0  # seconds between two who book
SLOW = 5.0  # seconds after which a buyer takes the site for dead
# How long a patient one presses again: what a flood has used of the CRM's budget is free again a
# minute after it has ended.
PATIENCE = 180.0


@dataclass
class Neighbours:
    """One looks at pages all the time, others come to book; each from an address of their own."""

    scene: Scene
    patient: bool = False  # presses again when told to come again in seconds
    pages: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    bookings: Counter[str] = field(default_factory=Counter)  # by state of the page, or status
    waited: float = 0.0  # the longest that one pressed again

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._work = [threading.Thread(target=work) for work in (self._look, self._book)]
        for thread in self._work:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._work:
            thread.join()

    @property
    def summary(self) -> str:
        served, booked = self.pages.total() - self._refused, self.bookings["expected"]
        told = f"{served} of {self.pages.total()} pages, slowest {self.slowest:.2f} s"
        waited = f", the longest wait {self.waited:.0f} s" if self.waited else ""
        return f"{told}; {booked} of {self.bookings.total()} booked{waited}"

    @property
    def offences(self) -> list[str]:
        found = []
        if self._refused:
            found.append(f"pages refused to an honest buyer: {dict(self.pages)}")
        if self.bookings.total() != self.bookings["expected"]:
            found.append(f"an honest buyer could not book: {dict(self.bookings)}")
        if self.slowest > SLOW:
            found.append(f"a page of an honest buyer took {self.slowest:.1f} s")
        return found

    @property
    def _refused(self) -> int:
        return sum(times for status, times in self.pages.items() if status != 200)

    def _look(self) -> None:
        browser, target = self.scene.newcomer(), self.scene.target(HOUSE)
        place = {"category": "flat", "house": target.house}
        chosen = answers(self.scene.start(HOUSE), house=target.house, flat=target.flat)
        paths = (
            "/?" + urlencode(place),
            "/time/?" + urlencode(place | {"flat": target.flat}),
            "/confirm/?" + urlencode(chosen),
            "/find/",
        )
        while not self._over.wait(PAUSE):
            for path in paths:
                began_at = time.monotonic()
                try:
                    status = browser.get(path).status
                except Broken:
                    status = 0
                self.pages[status] += 1
                self.slowest = max(self.slowest, time.monotonic() - began_at)

    def _book(self) -> None:
        """At least one books, however short the attack is."""
        while True:
            self.bookings[self._booked()] += 1
            if self._over.wait(EVERY):
                return

    def _booked(self) -> str:
        target, start, browser = (
            self.scene.target(HOUSE),
            self.scene.start(HOUSE),
            self.scene.newcomer(),
        )
        began_at = time.monotonic()
        while True:
            try:
                told = self.scene.press(browser, target, start, target.phones[0])
            except Broken:
                return "broken"
            wait = told.pressed.retry_after
            waits_on = self.patient and wait and time.monotonic() - began_at + wait < PATIENCE
            if not waits_on:
                break
            self.waited = max(self.waited, time.monotonic() - began_at + wait)
            time.sleep(wait)
        return told.state or f"status {told.pressed.status}"
