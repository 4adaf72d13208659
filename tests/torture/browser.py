"""A browser that runs no script and keeps no new cookie: one connection for each request."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

PATIENCE = 60  # seconds that a buyer looks at a page that loads


class Broken(Exception):
    """The connection broke before a whole page was there. Whether it was served, nobody knows."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    location: str
    html: str


class Browser:
    """Threads may share one, as tabs do."""

    def __init__(self, host: str, port: int, *, address: str, cookie: str = "") -> None:
        self._site = (host, port)
        self._address = address
        self._cookie = cookie

    def get(self, path: str) -> Page:
        """Raises Broken."""
        return self._ask("GET", path)

    def post(self, path: str, form: dict[str, str]) -> Page:
        """The answer itself: a redirect is not followed. Raises Broken."""
        return self._ask("POST", path, urlencode(form))

    def _ask(self, verb: str, path: str, body: str | None = None) -> Page:
        headers = {"Connection": "close", "Cookie": self._cookie}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = HTTPConnection(
            *self._site, timeout=PATIENCE, source_address=(self._address, 0)
        )
        try:
            connection.request(verb, path, body, headers)
            response = connection.getresponse()
            html = response.read().decode()
        except (OSError, HTTPException) as exc:
            raise Broken from exc
        finally:
            connection.close()
        return Page(response.status, response.headers.get("Location", ""), html)
