"""A request and a response without the socket."""

from __future__ import annotations

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

    def params(self, *, query_reads: bool) -> dict[str, str]:
        """What PHP would see: the query of a GET, the form of a POST, never the body of a GET."""
        if self.verb == "GET":
            return _parsed(self.query) if query_reads else {}
        is_form = self.content_type == "application/x-www-form-urlencoded"
        return _parsed(self.body.decode("utf-8", "surrogateescape")) if is_form else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def _parsed(text: str) -> dict[str, str]:
    """The last of repeated fields wins. Bytes that are not UTF-8 survive, for the signature."""
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))
