"""Error reports to Sentry, if SENTRY_DSN is set, without personal or secret data."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.conf import settings

from booking.observability import request_id
from booking.redaction import without_secrets

NOTHING = {"mode": "off"}
# Frames of the CRM client hold the signed body, frames of views the buyer's phone.
COLLECTED = {
    "user_info": False,
    "cookies": NOTHING,
    "http_headers": {"request": NOTHING},
    "http_bodies": [],
    "url_query_params": NOTHING,
    "stack_frame_variables": False,
    "database_query_data": False,
}
# Categories of breadcrumbs that hold whole URLs; those of the CRM include a token.
SILENCED = {"httplib", "http"}


def start() -> None:
    if settings.SENTRY_DSN:
        sentry_sdk.init(**options())


def options() -> dict[str, Any]:
    return {
        "dsn": settings.SENTRY_DSN,
        "data_collection": COLLECTED,
        # Add no tracing headers to requests to the CRM.
        "trace_propagation_targets": [],
        "before_send": _scrubbed,
        "before_breadcrumb": _crumb,
    }


def _scrubbed(event: Any, hint: dict[str, Any]) -> Any:
    # Drop the URL: a booking's URL opens it. The transaction names the view.
    event["request"] = {"method": event.get("request", {}).get("method", "")}
    event.pop("user", None)
    event.setdefault("tags", {})["request"] = request_id.current.get()
    return _without_secrets(event)


def _crumb(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    return None if crumb.get("category") in SILENCED else crumb


def _without_secrets(value: Any) -> Any:
    """Cleanse every text in a nested value."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _without_secrets(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value
