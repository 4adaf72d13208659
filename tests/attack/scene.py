"""Where an attack takes place: a site as it is deployed, and a stand-in CRM, both processes."""

from __future__ import annotations

import random
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from standin import StandIn
from standin.fixtures import Flat, House, of_size, shareholders
from tests.journey import answers, hidden_fields
from tests.processes import HOST, ZONE, Site, StandInProcess, own_database
from tests.torture import records
from tests.torture.browser import Browser, Page
from tests.torture.judge import Visit
from tests.variables import NO_LIMITS

HOUSES, FLATS = 3, 120
# Those that hold unless something is set: an empty variable is none.
USUAL_LIMITS = dict.fromkeys(NO_LIMITS, "")
DAYS_AHEAD = range(2, 13)
# Whatever a CRM and its network take.
LATENCY = 0.05
STATE = re.compile(r'data-state="(\w+)"')


@dataclass(frozen=True, slots=True)
class Target:
    """A flat, and the phones of those who hold a share in it."""

    house: str
    flat: str
    phones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a press of the button was answered, and the page that it led to."""

    target: Target
    pressed: Page
    page: Page | None

    @property
    def state(self) -> str:
        """Of the booking whose page it is; "" where there is no such page."""
        found = STATE.search(self.page.html) if self.page else None
        return found[1] if found else ""


@dataclass
class Scene:
    """All flats are of the first category; each house has days full of free times."""

    standin: StandInProcess
    site: Site
    dice: random.Random
    houses: tuple[House, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.houses = of_size(houses=HOUSES, flats=FLATS)
        crm = StandIn(houses=self.houses, zone=ZONE)  # the same times as in the process
        self._addresses = (f"127.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in count(1 << 17))
        self._flats = {house.id: self._shuffled(house) for house in self.houses}
        self._starts = {
            house.id: [
                start
                for ahead in DAYS_AHEAD
                for start in crm.free_starts(house.id, days_ahead=ahead)
            ]
            for house in self.houses
        }
        for starts in self._starts.values():
            self.dice.shuffle(starts)
        self._choosing = threading.Lock()

    @cached_property
    def token(self) -> str:
        """Of any form: it belongs to nobody, so one serves all, and an attacker knows that."""
        return hidden_fields(self.newcomer().get("/find/").html)["form_token"]

    def newcomer(self, *, cookie: str = "") -> Browser:
        """A browser at an address from which nothing has come so far."""
        return self.browser(next(self._addresses), cookie=cookie)

    def browser(self, address: str, *, cookie: str = "") -> Browser:
        return Browser(HOST, self.site.port, address=address, cookie=cookie)

    def target(self, house: int = 0, *, phones: int = 1) -> Target:
        """A flat that no other attack and no other buyer is given, with so many phones or more."""
        flats = self._flats[self.houses[house].id]
        with self._choosing:
            found = next(each for each in flats if len(each.phones) >= phones)
            flats.remove(found)
        return found

    def start(self, house: int = 0) -> datetime:
        """A free time that nobody else is given."""
        return self._starts[self.houses[house].id].pop()

    def wrong_phone(self) -> str:
        """Shareholders' phones begin with +7901."""
        return f"+7902{self.dice.randrange(10**7):07}"

    def find_form(self, number: str, phone: str) -> dict[str, str]:
        return {"number": number, "phone": phone, "form_token": self.token}

    def form(self, target: Target, start: datetime, phone: str) -> dict[str, str]:
        return answers(start, house=target.house, flat=target.flat) | {
            "phone": phone,
            "consent": "on",
            "key": str(uuid.UUID(int=self.dice.getrandbits(128), version=4)),
            "form_token": self.token,
        }

    def press(self, browser: Browser, target: Target, start: datetime, phone: str) -> Told:
        pressed = browser.post("/confirm/", self.form(target, start, phone))
        page = browser.get(pressed.location) if pressed.location else None
        return Told(target, pressed, page)

    def visits(self) -> list[Visit]:
        """What the CRM has booked."""
        return records.ledger(self.standin.ledger)

    def visits_of(self, target: Target) -> list[Visit]:
        return [
            visit
            for visit in self.visits()
            if (visit.house_id, visit.flat) == (target.house, target.flat)
        ]

    def _shuffled(self, house: House) -> list[Target]:
        own = [flat for flat in house.flats if flat.category == "flat"]
        return [_target(house, flat) for flat in self.dice.sample(own, len(own))]


def _target(house: House, flat: Flat) -> Target:
    return Target(house.id, flat.number, shareholders(house.id, flat))


@contextmanager
def scene(
    folder: Path, dice: random.Random, variables: dict[str, str], *, latency: float = LATENCY
) -> Iterator[Scene]:
    """With a CRM that adds a second visit of a flat: only the site stands against it."""
    own = Path(mkdtemp(dir=folder))
    estate = ("--houses", str(HOUSES), "--flats", str(FLATS), "--latency", str(latency))
    switches = {"busy": "0", "closed_weekdays": "[]", "second_add": "adds"}
    switched = [
        word for name, value in switches.items() for word in ("--switch", f"{name}={value}")
    ]
    with ExitStack() as stack:
        standin = stack.enter_context(StandInProcess(own, *estate, *switched))
        site = Site(
            folder=own,
            crm_url=standin.url,
            database_url=own_database(own),
            variables=USUAL_LIMITS | variables,
        )
        yield Scene(standin, stack.enter_context(site), dice)
