"""Replies and refusals as HTTP: the envelope, its shape and its bytes, as the switches say."""

from __future__ import annotations

import json

from standin.context import Refusal, Reply
from standin.http_types import Response
from standin.protocol import LiteralTimes
from standin.switches import Switches

JSON_TYPE = "application/json; charset=utf-8"
NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: category in <b>/srv/x.php</b> on line <b>1</b>"
    b"<br />\n"
)


def reply(answer: Reply, switches: Switches) -> Response:
    envelope = _envelope(answer.code, answer.data, answer.message)
    return Response(headers=_headers(switches), body=_encoded(envelope, switches))


def refusal(refused: Refusal, switches: Switches) -> Response:
    status = 200 if switches.refusals in {"in body", "error flag"} else refused.code
    return Response(
        status=status,
        headers=_headers(switches),
        body=_encoded(_refusal_body(refused, switches), switches),
    )


def not_found() -> Response:
    """What the framework behind the API says to an unknown path, whatever the switches."""
    body = {"name": "Not Found", "message": "Страница не найдена.", "code": 0, "status": 404}
    return Response(
        status=404, headers={"Content-Type": JSON_TYPE}, body=_json(body, escaped=False).encode()
    )


def _envelope(code: int, data: object, message: str) -> dict[str, object]:
    envelope = {"status_code": code, "data": data, "message": message}
    # A reply without a code has nothing but its message (C97); an empty message isn't sent.
    left_out = {"status_code", "data"} if not code else {"message"} if not message else set()
    return {name: value for name, value in envelope.items() if name not in left_out}


def _refusal_body(refused: Refusal, switches: Switches) -> dict[str, object]:
    if switches.refusals == "yii":
        name = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
        return {
            "name": name.get(refused.code, "Bad Request"),
            "message": refused.message,
            "code": 0,
            "status": refused.code,
        }
    if switches.refusals == "error flag":
        is_auth = refused.code == 401
        return {
            "error": True,
            "message": "Request not authenticated" if is_auth else refused.message,
        }
    return _envelope(refused.code, refused.data, refused.message)


def _headers(switches: Switches) -> dict[str, str]:
    kinds = {
        "notice": "text/html; charset=UTF-8",
        "windows-1251": "text/html; charset=windows-1251",
    }
    return {"Content-Type": kinds.get(switches.encoding, JSON_TYPE)}


def _encoded(body: dict[str, object], switches: Switches) -> bytes:
    text = _json(body, escaped=switches.encoding == "escaped")
    if switches.encoding == "windows-1251":
        return text.encode("windows-1251", "replace")
    prefix = {"bom": b"\xef\xbb\xbf", "notice": NOTICE}.get(switches.encoding, b"")
    return prefix + text.encode()


def _json(body: dict[str, object], *, escaped: bool) -> str:
    data = body.get("data")
    if isinstance(data, LiteralTimes):
        text = _json(body | {"data": "TIMES"}, escaped=escaped)
        return text.replace('"TIMES"', _literal(data.by_position), 1)
    text = json.dumps(body, ensure_ascii=escaped, separators=(",", ":"))
    return text.replace("/", "\\/") if escaped else text


def _literal(slots: dict[int, str]) -> str:
    """Times as the vendor's page prints them: bare, but for the last, and a comma too many."""
    parts = [f'"{start}",' for start in slots.values()]
    if parts:
        parts[-1] = f'"{max(slots)}":{parts[-1]}'
    return "{" + "".join(parts) + "}"
