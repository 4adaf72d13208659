"""JSON log lines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from booking.observability import request_id
from booking.redaction import without_secrets


class JSONFormatter(logging.Formatter):
    """Format the record, its request id and its `fields`.

    Like `booking.redaction.LineFormatter` the last net against secrets in the log. It cleanses each
    value before quoting, because a quoted secret no longer looks like one.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": request_id.current.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        cleansed = {name: _cleansed(value) for name, value in line.items() if value != ""}
        return json.dumps(cleansed, ensure_ascii=False)


def _cleansed(value: Any) -> Any:
    if isinstance(value, int | float | None):
        return value
    return without_secrets(str(value))
