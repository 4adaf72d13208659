"""A buyer's way through the site by Django's test client: as in a browser without scripts."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE

HOUSE = "3105011"
FLAT = "1.8-12-1"


def browser(**defaults: Any) -> Client:
    """It tells with each form, as browsers do, that the form stood on a page of ours."""
    return Client(headers={"Sec-Fetch-Site": "same-origin"}, **defaults)


def answers(start: datetime, **changes: str) -> dict[str, str]:
    """The answers of a buyer who has chosen everything."""
    chosen = {"category": "flat", "house": HOUSE, "flat": FLAT, "start": f"{start:%Y-%m-%dT%H:%M}"}
    return chosen | changes


def first_free(standin: StandIn, house: str = HOUSE) -> datetime:
    return standin.free_starts(house)[0]


def fill_in(
    client: Client, start: datetime, *, phone: str = ACCEPTED_PHONE, **changes: str
) -> dict[str, str]:
    """The last step's form as the page gives it, with phone and consent filled in."""
    page = client.get("/confirm/?" + urlencode(answers(start, **changes)))
    assert page.status_code == 200, page.headers.get("Location")
    return hidden_fields(text_of(page)) | {"phone": phone, "consent": "on"}


def send(client: Client, form: dict[str, str]) -> Any:
    """The reply as the test client has it; of a redirect `url` is where it leads."""
    return client.post("/confirm/", form)


def hidden_fields(html: str) -> dict[str, str]:
    inputs = [tag for tag in re.findall(r"<input[^>]*>", html) if 'type="hidden"' in tag]
    return {_attribute(tag, "name"): _attribute(tag, "value") for tag in inputs}


def links(html: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'href="([^"]+)"', html)]


def text_of(response: Any) -> str:
    return str(response.content.decode())


def heading(response: Any) -> str:
    """The page's one h1."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", text_of(response), re.DOTALL)
    return " ".join(unescape(found).split())


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found.group(1)) if found else ""
