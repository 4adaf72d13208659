"""A browser that runs no script and keeps no new cookie: one connection for each request."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from urllib.parse import urlencode

PATIENCE = 60  # seconds that a buyer looks at a page that loads


class Broken(Exception):
    """The connection broke before a whole page was there. Whether it was served, nobody knows."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    location: str
    html: str
    seconds: float  # until the whole of it was there, the connection not counted
    retry_after: int  # seconds; 0 where it does not tell
    cookies: Mapping[str, str]


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
            connection.connect()
            began_at = time.perf_counter()
            connection.request(verb, path, body, headers)
            response = connection.getresponse()
            html = response.read().decode()
            seconds = time.perf_counter() - began_at
        except (OSError, HTTPException) as exc:
            raise Broken from exc
        finally:
            connection.close()
        told = response.headers
        return Page(
            status=response.status,
            location=told.get("Location", ""),
            html=html,
            seconds=seconds,
            retry_after=int(told.get("Retry-After", "0")),
            cookies={
                name: morsel.value
                for header in told.get_all("Set-Cookie", [])
                for name, morsel in SimpleCookie(header).items()
            },
        )
