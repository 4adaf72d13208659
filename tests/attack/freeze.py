"""Texts that cost a careless pattern minutes, wherever strangers may put a text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product
from statistics import median
from urllib.parse import quote, urlencode

from tests.attack.findings import Findings
from tests.attack.scene import Scene
from tests.journey import hidden_fields
from tests.torture.browser import Broken, Page

# The largest that a form of 64 kB holds once it is encoded.
TEXTS = {
    "60,000 spaces and a digit": " " * 60_000 + "1",
    "60,000 digits": "1" * 60_000,
    "20,000 opening brackets": "(" * 20_000,
    "20,000 plus signs": "+" * 20_000,
    "6,600 full-width digits": "\N{FULLWIDTH DIGIT ONE}" * 6_600,
    "a phone in 59,000 spaces": "+7901 2345678" + " " * 59_000 + "x",
}
# What gunicorn takes of an address or a cookie.
LONGEST_ADDRESS = 8000
# Seconds that a text may cost beyond a short one. One that seems to cost more is sent again, in
# turns with a short one, and the best of these tries counts: the machine has other work, too.
MOST = 0.5
TRIES = 5
# Beyond this there is no doubt, and each further text would take as long.
ENOUGH = 5.0

Ask = Callable[[str], Page]
Form = dict[str, str]


def freeze(scene: Scene, findings: Findings) -> None:
    places = {
        "/confirm/": _fields(scene, "/confirm/", _confirm(scene)),
        "/find/": _fields(scene, "/find/", _find(scene)),
        "/admin/login/": _login(scene),
        "addresses": _addresses(scene),
        "cookies": _cookies(scene),
    }
    for name, asks in places.items():
        worst, usual, what = _worst(asks)
        findings.got.append(f"{name}: {worst * 1e3:.0f} ms for {what} ({usual * 1e3:.0f} usual)")
        findings.must(worst < usual + MOST, f"{what} of {name} cost {worst:.2f} s")


def _worst(asks: dict[str, Ask]) -> tuple[float, float, str]:
    """The seconds of the dearest text, those of a short one in its place, and what it is."""
    usual = median(ask("1").seconds for ask in asks.values())
    found = (0.0, usual, "")
    for (place, ask), (name, text) in product(asks.items(), TEXTS.items()):
        what = f"{name} as {place}"
        try:
            cost, least = ask(text).seconds, usual
            if usual + MOST < cost < ENOUGH:
                pairs = [(ask(text).seconds, ask("1").seconds) for _try in range(TRIES)]
                cost, least = (min(each) for each in zip(*pairs, strict=True))
        except Broken:
            return float("inf"), usual, what
        found = max(found, (cost, least, what))
        if cost > ENOUGH:
            break
    return found


def _fields(scene: Scene, path: str, form: Form, cookie: str = "") -> dict[str, Ask]:
    """Each request comes from a new address, so that no limit spares the site the work."""

    def post(field: str, text: str) -> Page:
        return scene.newcomer(cookie=cookie).post(path, form | {field: text})

    return {field: partial(post, field) for field in form}


def _confirm(scene: Scene) -> Form:
    """With a right phone, at a time that is never offered: it goes a long way and books nothing."""
    target, start = scene.target(), scene.start() + timedelta(minutes=7)
    sources = dict.fromkeys(("utm_source", "ref"), "mail")
    return scene.form(target, start, target.phones[0]) | sources


def _find(scene: Scene) -> Form:
    return scene.find_form("А1234ВС", scene.wrong_phone())


def _login(scene: Scene) -> dict[str, Ask]:
    page = scene.newcomer().get("/admin/login/")
    typed = {"username": "operator", "password": "a-wrong-password", "next": "/admin/"}
    cookie = f"csrftoken={page.cookies['csrftoken']}"
    return _fields(scene, "/admin/login/", hidden_fields(page.html) | typed, cookie)


def _addresses(scene: Scene) -> dict[str, Ask]:
    def get(path: str, field: str, text: str) -> Page:
        query = urlencode({"house": scene.houses[0].id, field: text})
        return scene.newcomer().get(f"{path}?{query[:LONGEST_ADDRESS]}")

    fields = ("category", "house", "flat", "date", "start", "utm_source", "link")
    places = product(("/", "/time/", "/confirm/"), fields)
    return {f"{field} of {path}": partial(get, path, field) for path, field in places}


def _cookies(scene: Scene) -> dict[str, Ask]:
    def get(name: str, text: str) -> Page:
        cookie = f"{name}={quote(text)[:LONGEST_ADDRESS]}"
        return scene.newcomer(cookie=cookie).get("/confirm/")

    return {name: partial(get, name) for name in ("bookings", "phone", "lang", "sessionid")}
