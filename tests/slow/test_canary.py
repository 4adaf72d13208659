"""The secret, the tokens, whole phones and keys, searched for in all that the site ever writes.

A real site takes bookings that end in every way there is, from buyers who write their phone in
every way there is, with a CRM that repeats what must not be repeated. The reads are sent by GET, so
the tokens stand in addresses.
"""

from __future__ import annotations

import json
import re
import sqlite3
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import md5
from http.cookiejar import CookieJar
from pathlib import Path
from time import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener
from uuid import UUID

import pytest

from booking.short_keys import ShortKeyConverter
from standin import ACCEPTED_PHONE, REFUSED_PHONE, StandIn
from standin.faults import KINDS
from tests.journey import HOUSE, answers, hidden_fields
from tests.processes import DOMAIN, HOST, ZONE, Site

SECRET = "canary/secret+8c1f"
FIGURES = "figures-canary"
PASSWORD = "a-long-password"
# As buyers type them.
ACCEPTED = ("+79001234567", "8 (900) 123-45-67", "8 900 123 45 67", "79001234567")
REFUSED = "8 (900) 765-43-21"
# With numbers that no booking has been given, or only by a chance of one in a million.
WRONG_PAIRS = (("Х0000ХХ", ACCEPTED[1]), ("Х0000ХХ", REFUSED), ("Х0000ХА", REFUSED))
# Ten digits in a row or grouped in any way.
PHONES = re.compile(r"900\D{0,2}123\D?45\D?67|900\D{0,2}765\D?43\D?21")
ECHO = f"signed with {SECRET}"

MAKE_STAFF = f"""
from django.contrib.auth.models import Group, User
user = User.objects.create_user("reader", password={PASSWORD!r}, is_staff=True)
user.groups.add(Group.objects.get(name="operators"))
"""


@dataclass
class Visitor:
    """A browser with cookies that follows redirects, and everything it was given."""

    site: str
    given: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        return self._open(path, None)

    def post(self, path: str, form: dict[str, str]) -> str:
        return self._open(path, urlencode(form).encode())

    def _open(self, path: str, body: bytes | None) -> str:
        try:
            response = self._opener.open(self.site + path, body, timeout=60)
        except HTTPError as error:
            response = error
        with response:
            page: str = response.read().decode()
            self.given[f"{len(self.given)} {response.url}"] = f"{response.headers}\n{page}"
        return page


@dataclass(frozen=True)
class Seen:
    """All that was written or given, by where."""

    texts: dict[str, str]
    outcomes: Counter[str]
    keys: list[str]
    began_at: int


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder: Path = tmp_path_factory.mktemp("canary")
    began_at = int(time()) - 1
    database = folder / "journal.sqlite3"
    variables = {
        "MACROCRM_APP_SECRET": SECRET,
        "MACROCRM_METHOD": "GET",
        "METRICS_PATH": FIGURES,
        "LIMIT_FIND_PER_CLIENT": "2",
    }
    with StandIn(domain=DOMAIN, zone=ZONE, secret=SECRET) as crm:
        site = Site(
            folder=folder,
            crm_url=crm.url,
            database_url=f"sqlite:///{database}",
            variables=variables,
        )
        with site:
            buyer = Visitor(f"http://{HOST}:{site.port}")
            book_in_every_way(buyer, crm)
            search_in_every_way(buyer, database)
            knock_in_every_way(buyer, confirmed_key(database))
            staff = look_as_staff(site, Visitor(buyer.site))
            figures = Visitor(buyer.site).get(f"/{FIGURES}/")
        texts = {"log": site.log, "standard output": site.printed, "figures": figures}
        texts |= {f"page {name}": text for name, text in (buyer.given | staff.given).items()}
        texts |= rows(database) | cached(folder / "journal.cache.sqlite3")
        with sqlite3.connect(database) as journal:
            found = journal.execute("SELECT outcome, key FROM booking_booking").fetchall()
        outcomes = Counter(outcome for outcome, _key in found)
        yield Seen(texts, outcomes, [key for _outcome, key in found], began_at)


def book_in_every_way(buyer: Visitor, crm: StandIn) -> None:
    house = crm.houses[HOUSE]
    flats = [flat.number for flat in house.flats if flat.category == "flat"]
    starts = crm.free_starts(HOUSE)
    # Without a pause after `rate`, in which nothing would be sent.
    ways: list[dict[str, Any]] = [{"kind": kind, "retry_after": "0"} for kind in KINDS]
    told = json.dumps({"message": f"{ECHO} for {ACCEPTED_PHONE}", "status": "error"})
    ways += [{"kind": "status", "status": status, "body": told} for status in (200, 500)]
    for number, way in enumerate([None, None, *ways]):
        phone = REFUSED if number == 1 else ACCEPTED[number % len(ACCEPTED)]
        page = buyer.get(f"/confirm/?{urlencode(answers(starts[number], flat=flats[number]))}")
        form = hidden_fields(page) | {"phone": phone}
        # Without the consent, which the form of a browser that has just given it holds.
        form.pop("consent", None)
        buyer.post("/confirm/", form)
        if way:
            crm.fail("add", **way)
        buyer.post("/confirm/", form | {"consent": "on"})
        crm.recover()
    for method in ("getReadyFlats", "getFreeTimes"):
        crm.fail(method, "status", status=401, body=json.dumps({"message": ECHO}))
    for path in ("/", "/?category=garage", f"/time/?category=flat&house={HOUSE}&flat={flats[0]}"):
        buyer.get(path)
    crm.recover()


def search_in_every_way(buyer: Visitor, database: Path) -> None:
    """For a booking that is there, for some that are not, and once too often."""
    with sqlite3.connect(database) as journal:
        numbers = dict(journal.execute("SELECT phone, reference FROM booking_booking"))
    token = hidden_fields(buyer.get("/find/"))
    for number, phone in ((numbers[ACCEPTED_PHONE], ACCEPTED[1]), *WRONG_PAIRS):
        buyer.post("/find/", token | {"number": number, "phone": phone})


def confirmed_key(database: Path) -> str:
    with sqlite3.connect(database) as journal:
        (key,) = journal.execute(
            "SELECT key FROM booking_booking WHERE outcome = 'confirmed'"
        ).fetchone()
    return str(UUID(key))


def short_address(key: str) -> str:
    return f"/b/{ShortKeyConverter().to_url(UUID(key))}/"


def knock_in_every_way(buyer: Visitor, key: str) -> None:
    """What a booking's address answers with an error: 403, 404 and 405."""
    page = buyer.get(f"/bookings/{key}/")
    buyer.post(f"/bookings/{key}/change/", {})
    buyer.get(f"/bookings/{key}/nothing/")
    buyer.get(short_address(key))
    buyer.get(f"{short_address(key)}nothing/")
    buyer.post(f"/bookings/{key}/", hidden_fields(page))


def look_as_staff(site: Site, staff: Visitor) -> Visitor:
    """As one who may see bookings, but no whole phone."""
    site.manage("shell", "--verbosity", "0", "-c", MAKE_STAFF)
    page = staff.get("/admin/login/")
    staff.post(
        "/admin/login/?next=/admin/",
        hidden_fields(page) | {"username": "reader", "password": PASSWORD},
    )
    log = staff.get("/admin/booking/booking/")
    bookings = set(re.findall(r"/admin/booking/booking/([\w-]+)/change/", log))
    assert bookings, log
    for booking in sorted(bookings):
        staff.get(f"/admin/booking/booking/{booking}/change/")
    staff.get("/admin/")
    return staff


def rows(database: Path) -> dict[str, str]:
    """Every column of every table, except the one that is there for phones."""
    with sqlite3.connect(database) as journal:
        tables = journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        columns = {
            (table, column[1])
            for (table,) in tables
            for column in journal.execute(f'PRAGMA table_info("{table}")')
        }
        columns -= {("booking_booking", "phone")}
        return {
            f"{table}.{column}": repr(
                journal.execute(f'SELECT "{column}" FROM "{table}"').fetchall()
            )
            for table, column in columns
        }


def cached(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as cache:
        entries = cache.execute("SELECT cache_key, value FROM booking_cache").fetchall()
    return {f"cache {key}": repr(b64decode(value)) for key, value in entries}


def test_there_was_something_to_find(seen):
    assert seen.outcomes["confirmed"] >= 1
    assert seen.outcomes["refused"] >= 1
    assert seen.outcomes["in_doubt"] >= 5
    assert {"log", "figures", "booking_bookingevent.facts"} <= seen.texts.keys()
    assert '"status": 500, "seconds"' not in seen.texts["log"]
    assert any(name.startswith("cache ") for name in seen.texts)
    assert any("/admin/booking/booking/" in name for name in seen.texts)
    assert 'outcome="in_doubt"' in seen.texts["figures"]


def test_the_secret_is_nowhere(seen):
    assert [name for name, text in seen.texts.items() if SECRET in text] == []


def test_no_token_is_anywhere(seen):
    moments = range(seen.began_at, int(time()) + 1)
    tokens = [md5(f"{DOMAIN}{moment}{SECRET}".encode()).hexdigest() for moment in moments]
    found = [name for name, text in seen.texts.items() if any(token in text for token in tokens)]

    assert found == []


def test_a_whole_phone_stands_only_where_its_owner_typed_it(seen):
    found = {name for name, text in seen.texts.items() if PHONES.search(text)}

    # A form shown once more, to the very browser in which it was typed.
    forms = ("/confirm/", "/find/")
    assert {name for name in found if not any(form in name for form in forms)} == set()
    fields = re.compile(r'<input[^>]*name="phone"[^>]*>')
    assert not any(PHONES.search(fields.sub("", seen.texts[name])) for name in found)


def test_no_key_that_opens_a_booking_is_in_the_log_or_the_figures(seen):
    kept = ("log", "standard output", "figures")
    written = "".join(text for name, text in seen.texts.items() if name in kept)

    spelled = [(key, str(UUID(key)), short_address(key)) for key in seen.keys]
    spellings = {spelling for spellings in spelled for spelling in spellings}
    assert [spelling for spelling in spellings if spelling in written] == []
    assert {403, 404, 405} <= set(map(int, re.findall(r'"status": (\d+)', written)))


def test_the_log_is_one_json_object_a_line(seen):
    # Beside ours there are gunicorn's few, and Python's warning of static files not collected.
    ours = [line for line in seen.texts["log"].splitlines() if line.startswith("{")]

    lines = [json.loads(line) for line in ours]

    calls = [line for line in lines if line["logger"] == "booking.observability.crm_calls"]
    requests = [line for line in lines if line["logger"] == "booking.observability.middleware"]
    assert {call["method"] for call in calls} == {"getReadyFlats", "getFreeTimes", "add"}
    assert {call["request"] for call in calls} <= {request["request"] for request in requests}


def test_the_figures_add_up_over_the_workers(seen):
    counted = re.findall(
        r'handover_crm_calls_total\{method="add",.*\} ([\d.]+)', seen.texts["figures"]
    )

    assert sum(map(float, counted)) == sum(seen.outcomes.values())
    assert REFUSED_PHONE not in seen.texts["figures"]
