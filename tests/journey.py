"""A buyer's way through the site by Django's test client: as in a browser without scripts."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

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


def choices(html: str, path: str = "/") -> list[str]:
    """Where the buttons of GET forms lead on a page with this path, in their order."""
    forms = _Forms(path)
    forms.feed(html)
    return forms.leads


def offered(response: Any) -> list[str]:
    """Where the buttons of the GET forms of a reply lead."""
    return choices(text_of(response), response.request["PATH_INFO"])


def offered_times(response: Any) -> list[str]:
    """Where the times of step 2 lead, the nearest ones of its message included."""
    return [url for url in offered(response) if url.startswith("/confirm/")]


class _Forms(HTMLParser):
    """Reads forms as a browser sends them: the hidden fields, then the button that was pressed."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self._path = path
        self._action = ""
        self._fields: list[tuple[str, str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "")
            self._fields = None if given.get("method") == "post" else []
        elif self._fields is not None and given.get("type") == "hidden":
            self._fields.append((given["name"], given["value"]))
        elif self._fields is not None and tag == "button" and "name" in given:
            pressed = [*self._fields, (given["name"], given["value"])]
            path = urljoin(self._path, given.get("formaction", self._action)).partition("#")[0]
            self.leads.append(f"{path}?{urlencode(pressed)}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


def text_of(response: Any) -> str:
    return str(response.content.decode())


def heading(response: Any) -> str:
    """The page's one h1."""
    (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", text_of(response), re.DOTALL)
    return " ".join(unescape(found).split())


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found.group(1)) if found else ""
