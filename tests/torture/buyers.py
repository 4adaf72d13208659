"""Buyers: from the last step's page to the booking's own, through whatever breaks on the way."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.journey import hidden_fields
from tests.processes import HOST, Site
from tests.torture.browser import Broken, Browser, Page
from tests.torture.plan import Wish

Form = dict[str, str]

TRIES = 40
# Nearly the largest body that is taken. Read without a bound, it held the interpreter for 11 s.
LARGE_PHONE = " " * 60_000 + "1"
STRANGER = "127.0.0.250"
PAUSE = 0.1  # seconds before a buyer presses again


def last_step(wish: Wish) -> str:
    answers = {
        "category": wish.category,
        "house": wish.house_id,
        "flat": wish.flat,
        "start": f"{wish.start:%Y-%m-%dT%H:%M}",
    }
    return "/confirm/?" + urlencode(answers)


def throw_in_a_large_form(site: Site, wish: Wish, progress: Progress) -> None:
    """A stranger sends the form of a buyer with a phone of 60 kB."""
    browser = Browser(HOST, site.port, address=STRANGER)
    try:
        form = hidden_fields(browser.get(last_step(wish)).html)
        page = browser.post("/confirm/", form | {"phone": LARGE_PHONE, "consent": "on"})
    except Broken:
        progress.count(broken=1)
    else:
        progress.count(status=page.status)


@dataclass(kw_only=True)
class Progress:
    """What has happened so far. Buyers count, the killer waits for the counts."""

    begun: int = 0  # buyers who are about to press the button
    asked: int = 0  # forms whose button was pressed
    pages: Counter[int] = field(default_factory=Counter)  # by HTTP status
    broken: int = 0  # connections
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        with self.changed:
            self.begun += 1
            self.changed.notify_all()

    def end(self) -> None:
        """Let go who still waits, whatever has become of the buyers."""
        with self.changed:
            self.over.set()
            self.changed.notify_all()

    def wait_for(self, begun: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.begun > begun or self.over.is_set())

    def count(self, *, asked: int = 0, broken: int = 0, status: int | None = None) -> None:
        with self.changed:
            self.asked += asked
            self.broken += broken
            if status:
                self.pages[status] += 1


class Buyer:
    """One buyer with a wish; `book` returns when there is nothing left to press."""

    def __init__(self, site: Site, wish: Wish, progress: Progress) -> None:
        self._wish = wish
        self._progress = progress
        self._browser = Browser(HOST, site.port, address=wish.address)

    def book(self) -> None:
        forms = [form for _tab in range(self._wish.tabs) if (form := self._filled_in())]
        self._progress.begin()
        if not forms:
            return
        self._progress.count(asked=len(forms))
        answers = self._press(forms)
        for place in {answer.location for answer in answers if answer and answer.location}:
            self._look(place)
        if self._wish.comes_back:
            self._press(forms[:1])
        for place in {answer.location for answer in answers if answer and answer.location}:
            self._move(place.partition("?")[0])

    def _filled_in(self) -> Form | None:
        """Step 3 with everything filled in. None where it leads elsewhere: the time has gone."""
        wish = self._wish
        page = self._patiently(lambda: self._browser.get(last_step(wish)))
        if page is None or page.status != 200:
            return None
        return hidden_fields(page.html) | {"phone": wish.phone, "consent": "on"}

    def _press(self, forms: list[Form]) -> list[Page | None]:
        """Every form's button, all of them at once, each as often as this buyer does."""
        presses = forms * self._wish.presses
        with ThreadPoolExecutor(len(presses)) as hands:
            return list(hands.map(self._send, presses))

    def _send(self, form: Form) -> Page | None:
        def press() -> Page:
            return self._browser.post("/confirm/", form)

        return self._patiently(press, tries=TRIES if self._wish.resends else 1)

    def _look(self, place: str) -> None:
        """At the booking's page; where it was not sent, press its button until it is."""
        page = self._patiently(lambda: self._browser.get(place))
        again = f"{place.partition('?')[0]}again/"
        if page is None or again not in page.html:
            return
        self._progress.count(asked=1)
        form = hidden_fields(page.html)
        answer = self._patiently(lambda: self._browser.post(again, form))
        if answer and answer.location:
            self._look(answer.location)

    def _move(self, place: str) -> None:
        """Move the visit of a booking's page, if it has one; pressed as often as to book."""
        second = self._wish.second
        if second is None or not place.startswith("/bookings/"):
            return
        move = f"{place}move/"
        question = f"{move}?start={second:%Y-%m-%dT%H:%M}"
        page = self._patiently(lambda: self._browser.get(question))
        form = hidden_fields(page.html) if page and page.status == 200 else {}
        if "key" not in form:
            return
        self._progress.count(asked=1)

        def press(_hand: int) -> Page | None:
            return self._patiently(lambda: self._browser.post(move, form))

        with ThreadPoolExecutor(self._wish.presses) as hands:
            list(hands.map(press, range(self._wish.presses)))

    def _patiently(self, ask: Callable[[], Page], *, tries: int = TRIES) -> Page | None:
        """The page, at last; None for a buyer who has had enough."""
        for _try in range(tries):
            try:
                page = ask()
            except Broken:
                self._progress.count(broken=1)
            else:
                self._progress.count(status=page.status)
                if page.status < 500:
                    return page
            time.sleep(PAUSE)
        return None
