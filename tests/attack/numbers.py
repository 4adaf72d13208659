"""Guesses the numbers of bookings on /find/, and looks for what tells that one exists."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import cycle, pairwise

from booking import references
from tests.attack import timing
from tests.attack.alike import alike, differ
from tests.attack.findings import Findings
from tests.attack.scene import Scene
from tests.torture.browser import Browser, Page

NUMBER = re.compile(r"\b[АВЕКМНОРСТУХ]\d{4}[АВЕКМНОРСТУХ]{2}\b")
PER_CLIENT = 10
VARIABLES = {"LIMIT_FIND_PER_CLIENT": str(PER_CLIENT)}
OWNERS = 8
GUESSES = 40


def numbers(scene: Scene, findings: Findings) -> None:
    booked = [_booked(scene) for _owner in range(OWNERS)]
    _look_predictable(booked, findings)
    known = [phone for _number, phone in booked]
    _guess(scene, findings, "one address", known[0], [scene.newcomer()] * GUESSES)
    many = [scene.newcomer() for _guess in range(GUESSES)]
    _guess(scene, findings, "many addresses", known[1], many)
    _compare(scene, findings, booked)


def _booked(scene: Scene) -> tuple[str, str]:
    """A booking's number and its phone."""
    target = scene.target()
    told = scene.press(scene.newcomer(), target, scene.start(), target.phones[0])
    assert told.page
    return NUMBER.findall(told.page.html)[0], target.phones[0]


def _guess(scene: Scene, findings: Findings, who: str, phone: str, browsers: list[Browser]) -> None:
    """The phone is known, the number is not."""
    told = [_find(scene, browser, references.make(), phone) for browser in browsers]
    answered = sum(page.status == 422 for page in told)
    found = sum(page.status == 302 for page in told)
    findings.got.append(f"{GUESSES} numbers from {who}: {answered} answered, {found} found")
    findings.must(not found, f"{who} found a booking by guessing")
    if who == "one address":
        findings.must(answered <= PER_CLIENT, f"{answered} guesses answered to one address")
    else:
        findings.known.append("of 17,280,000 numbers, each address tries one a minute for a phone")


def _look_predictable(booked: list[tuple[str, str]], findings: Findings) -> None:
    """Numbers that are made one after another must not lie beside each other."""
    places = sorted(_place(number) for number, _phone in booked)
    nearest = min(after - before for before, after in pairwise(places))
    findings.got.append(f"of {OWNERS} numbers the nearest two are {nearest:,} apart")
    findings.must(nearest > 10, "numbers of bookings follow each other")


def _place(number: str) -> int:
    place = 0
    for character, characters in zip(number, references.SHAPE, strict=True):
        place = place * len(characters) + characters.index(character)
    return place


def _compare(scene: Scene, findings: Findings, booked: list[tuple[str, str]]) -> None:
    """Each request comes from a new address, so that no limit is met."""
    owners = cycle(booked)

    def wrong_phone_of_a_booking() -> Page:
        return _find(scene, scene.newcomer(), next(owners)[0], scene.wrong_phone())

    def nothing() -> Page:
        return _find(scene, scene.newcomer(), references.make(), scene.wrong_phone())

    def wrong_number_of_a_phone() -> Page:
        return _find(scene, scene.newcomer(), references.make(), next(owners)[1])

    for name, ask in (
        ("a number that exists", wrong_phone_of_a_booking),
        ("a phone that has booked", wrong_number_of_a_phone),
    ):
        differs = differ(_read, ask, nothing)
        findings.must(not differs, f"{name} is told otherwise")
        found = timing.compare(_seconds(ask), _seconds(nothing), scene.dice)
        findings.got.append(f"{name} and nothing: {found}")
        findings.must(not found.tells, f"{name} takes another time")


def _find(scene: Scene, browser: Browser, number: str, phone: str) -> Page:
    return browser.post("/find/", scene.find_form(number, phone))


def _read(page: Page) -> tuple[object, ...]:
    """Without what was typed, which stands in the fields again."""
    html = re.sub(r'value="[^"]*"', "", page.html)
    return page.status, page.location, sorted(page.cookies), alike(html)


def _seconds(ask: Callable[[], Page]) -> Callable[[], float]:
    return lambda: ask().seconds
