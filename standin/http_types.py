"""A request as it came and a response as it goes, without the socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    verb: str
    target: str  # path and query
    content_type: str = ""
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        return urlsplit(self.target).query

    def params(self, *, json_bodies: bool, query: bool) -> dict[str, str]:
        """What PHP would see: the query of a GET, the form of a POST, never a GET's body."""
        if self.verb == "GET":
            return _form(self.query) if query else {}
        if self.content_type.startswith("application/json"):
            return _json(self.body) if json_bodies else {}
        if self.content_type.startswith("application/x-www-form-urlencoded"):
            return _form(self.body.decode("utf-8", "surrogateescape"))
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def _form(text: str) -> dict[str, str]:
    """The last of repeated fields wins. Bytes that are no UTF-8 survive, for the signature."""
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))


def _json(body: bytes) -> dict[str, str]:
    """Strings and whole numbers of a JSON object; anything else is no parameter."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {
        name: str(value)
        for name, value in values.items()
        if isinstance(value, str | int) and not isinstance(value, bool)
    }
