"""The id that the log lines and reports of one request share."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

HEADER = "X-Request-ID"
# Ids of a proxy: no character that would break out of a log line.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")

# Empty outside of a request.
current: ContextVar[str] = ContextVar("request_id", default="")


def of(request: HttpRequest) -> str:
    """Return the id set by a trusted proxy, else a new one.

    Never a client's: it could copy the id of another request.
    """
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXIES else ""
    return given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
