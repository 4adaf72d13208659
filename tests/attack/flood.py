"""More than the site can serve: by one client, and bookings beyond what the CRM bears."""

from __future__ import annotations

import socket
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta

from tests.attack.findings import Findings
from tests.attack.repeating import running
from tests.attack.scene import LATENCY, Scene
from tests.processes import HOST
from tests.torture.browser import Browser

ADDS_AT_ONCE, ADDS_PER_MINUTE = 8, 60
VARIABLES = {
    "MACROCRM_ADDS_AT_ONCE": str(ADDS_AT_ONCE),
    "MACROCRM_ADDS_PER_MINUTE": str(ADDS_PER_MINUTE),
}
# The site counts from when a row was written, and a busy machine may send it seconds later.
MINUTE = 55
CONNECTIONS = 50
SECONDS = 10
FEW = 6
LONG = 40


def one_client(scene: Scene, findings: Findings) -> None:
    """Half of the connections post forms that are refused, the others read; then forms hang."""
    browser, target = scene.newcomer(), scene.target()
    start, paths = scene.start(), ("/", f"/?category=flat&house={target.house}", "/find/")

    def post() -> int:
        form = scene.form(target, start, scene.wrong_phone())
        return browser.post("/confirm/", form).status

    def read() -> int:
        return browser.get(scene.dice.choice(paths)).status

    with running([post, read] * (CONNECTIONS // 2)) as statuses:
        time.sleep(SECONDS)
    findings.got.append(f"{CONNECTIONS} connections for {SECONDS} s: {_told(statuses)}")
    with ExitStack() as kept_open:
        for _form in range(CONNECTIONS):
            kept_open.enter_context(_hanging_form(scene, "127.1.1.1"))
        time.sleep(SECONDS)
    findings.got.append(f"{CONNECTIONS} forms that never come, for {SECONDS} s")


def few_clients(scene: Scene, findings: Findings) -> None:
    """Wrong phones for one flat after the other, as fast as they are answered."""
    _spend_the_budget(scene, findings, [scene.newcomer() for _client in range(FEW)], LONG)


def many_clients(scene: Scene, findings: Findings) -> None:
    """The same, each press from an address of its own."""
    _spend_the_budget(scene, findings, None, 2 * LONG)


def _spend_the_budget(
    scene: Scene, findings: Findings, browsers: list[Browser] | None, seconds: float
) -> None:
    targets = [scene.target(house) for house in (0, 2) for _flat in range(60)]

    def post() -> int:
        browser = scene.dice.choice(browsers) if browsers else scene.newcomer()
        form = scene.form(scene.dice.choice(targets), start, scene.wrong_phone())
        return browser.post("/confirm/", form).status

    start = scene.start()
    with running([post] * 12) as statuses:
        time.sleep(seconds)
    calls = _calls_of_add(scene)
    at_once, a_minute = most_within(calls, LATENCY), most_within(calls, MINUTE)
    findings.got.append(
        f"{_told(statuses)} in {seconds:.0f} s; at the CRM {at_once} at once, {a_minute} a minute"
    )
    findings.must(at_once <= ADDS_AT_ONCE, f"{at_once} bookings at once")
    findings.must(a_minute <= ADDS_PER_MINUTE, f"{a_minute} bookings within a minute")


def _hanging_form(scene: Scene, address: str) -> socket.socket:
    connection = socket.create_connection(
        (HOST, scene.site.port), timeout=SECONDS, source_address=(address, 0)
    )
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
    connection.sendall(f"POST /confirm/ HTTP/1.1\r\nHost: {HOST}\r\n{form}\r\n\r\n".encode())
    return connection


def _calls_of_add(scene: Scene) -> list[datetime]:
    records = scene.standin.requests()["requests"]
    return [
        datetime.fromisoformat(record["received_at"])
        for record in records
        if record["method"] == "add"
    ]


def most_within(moments: list[datetime], seconds: float) -> int:
    """How many lie within any span of so many seconds."""
    span = timedelta(seconds=seconds)
    return max(
        (sum(begin <= each < begin + span for each in moments) for begin in moments), default=0
    )


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
