"""Error reports to Sentry, if SENTRY_DSN says where, without anything personal or secret."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from django.conf import settings

from booking.observability import request_id
from booking.redaction import without_secrets

NOTHING = {"mode": "off"}
# A frame of the CRM client holds the signed body, one of a view the buyer's phone.
COLLECTED = {
    "user_info": False,
    "cookies": NOTHING,
    "http_headers": {"request": NOTHING},
    "http_bodies": [],
    "url_query_params": NOTHING,
    "stack_frame_variables": False,
    "database_query_data": False,
}
# Breadcrumbs of these name addresses with their queries; the CRM's hold a token.
SILENCED = {"httplib", "http"}


def start() -> None:
    if settings.SENTRY_DSN:
        sentry_sdk.init(**options())


def options() -> dict[str, Any]:
    return {
        "dsn": settings.SENTRY_DSN,
        "data_collection": COLLECTED,
        # No headers of ours on what goes to the CRM.
        "trace_propagation_targets": [],
        "before_send": _scrubbed,
        "before_breadcrumb": _crumb,
    }


def _scrubbed(event: Any, hint: dict[str, Any]) -> Any:
    # The address of a booking is all it takes to open it; the view is named by the transaction.
    event["request"] = {"method": event.get("request", {}).get("method", "")}
    event.pop("user", None)
    event.setdefault("tags", {})["request"] = request_id.current.get()
    return _without_secrets(event)


def _crumb(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    return None if crumb.get("category") in SILENCED else crumb


def _without_secrets(value: Any) -> Any:
    """The same value with every text in it cleansed, however deep it lies."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: _without_secrets(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value
