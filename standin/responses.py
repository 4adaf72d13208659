"""Replies and refusals as HTTP: the envelope, its shape and its bytes."""

from __future__ import annotations

import json

from standin.http_types import Response
from standin.protocol import Refusal, Reply
from standin.switches import Switches

JSON_TYPE = "application/json; charset=utf-8"
TYPES = {
    "notice": "text/html; charset=UTF-8",
    "windows-1251": "text/html; charset=windows-1251",
}
NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: category in <b>/srv/x.php</b> on line <b>1</b>"
    b"<br />\n"
)
YII_NAMES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


def reply(told: Reply, switches: Switches) -> Response:
    return _response(200, _envelope(200, told.data, told.message), switches)


def refusal(refused: Refusal, switches: Switches) -> Response:
    status = 200 if switches.refusals in {"in body", "error flag"} else refused.code
    return _response(status, _refusal_body(refused, switches), switches)


def not_found() -> Response:
    """The framework's own answer to an unknown path, whatever the switches."""
    body = {"name": "Not Found", "message": "Страница не найдена.", "code": 0, "status": 404}
    return Response(status=404, headers={"Content-Type": JSON_TYPE}, body=_json(body).encode())


def _envelope(code: int, data: object, message: str) -> dict[str, object]:
    return {"status_code": code, "data": data, "message": message}


def _refusal_body(refused: Refusal, switches: Switches) -> dict[str, object]:
    if switches.refusals == "yii":
        name = YII_NAMES.get(refused.code, "Bad Request")
        return {"name": name, "message": refused.message, "code": 0, "status": refused.code}
    if switches.refusals == "error flag":
        is_auth = refused.code == 401
        message = "Request not authenticated" if is_auth else refused.message
        return {"error": True, "message": message}
    return _envelope(refused.code, refused.data, refused.message)


def _response(status: int, body: dict[str, object], switches: Switches) -> Response:
    headers = {"Content-Type": TYPES.get(switches.encoding, JSON_TYPE)}
    if switches.encoding == "windows-1251":
        encoded = _json(body).encode("windows-1251", "replace")
    else:
        encoded = (NOTICE if switches.encoding == "notice" else b"") + _json(body).encode()
    return Response(status=status, headers=headers, body=encoded)


def _json(body: dict[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
