"""The name under which everything that belongs to one request can be found again."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

HEADER = "X-Request-ID"
# What a proxy may have made: no room for anything that would break out of a log line.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")

# Empty outside of a request.
current: ContextVar[str] = ContextVar("request_id", default="")


def of(request: HttpRequest) -> str:
    """The name that a proxy of ours gave, if it is one, else a new one.

    Not one of a client's own: it could hide among the lines of another request.
    """
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXIES else ""
    return given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
