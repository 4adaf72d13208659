"""Describe the facts of staff events in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking.admin import words
from booking.models import StaffEvent

LABELS: dict[str, Promise] = {
    "account": gettext_lazy("Account"),
    "group": gettext_lazy("Group"),
    "created": gettext_lazy("Newly made"),
    "deleted": gettext_lazy("Deleted"),
    "renamed_from": gettext_lazy("Was called"),
    "given": gettext_lazy("Given"),
    "taken": gettext_lazy("Taken away"),
    "new_browser": gettext_lazy("In a browser for the first time"),
    "limit": gettext_lazy("Wrong passwords were counted"),
    "until": gettext_lazy("No further try before"),
    "client": gettext_lazy("Mark of the network address"),
    "search": gettext_lazy("Searched for"),
    "page": gettext_lazy("Page"),
    "filters": gettext_lazy("Narrowed down by"),
    "phones": gettext_lazy("Phones"),
    "bookings": gettext_lazy("Bookings"),
    "format": gettext_lazy("File format"),
    "older_than_days": gettext_lazy("Older than, days"),
}
LIMITS: dict[str, Promise] = {
    "account": gettext_lazy("for the account, in browsers that it has not used before"),
    "browser": gettext_lazy("for the account, in its own browser"),
    "address": gettext_lazy("for the network address, over all accounts"),
}
FLAGS: dict[str, Promise] = {
    "is_active": gettext_lazy("may log in"),
    "is_staff": gettext_lazy("may use the admin"),
    "is_superuser": gettext_lazy("may do everything"),
}
PHONES: dict[str, Promise] = {"whole": gettext_lazy("whole"), "masked": gettext_lazy("masked")}


def describe_event(event: StaffEvent) -> Iterator[str]:
    """One sentence for each fact."""
    for name, value in event.facts.items():
        yield f"{LABELS.get(name, name)}: {_value(name, value)}"


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{key} = {each}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_right, value))
    if name == "until":
        return words.short_moment(datetime.fromisoformat(value))
    known = {"limit": LIMITS, "phones": PHONES}.get(name, {})
    return str(known.get(value, value))


def _right(name: str) -> str:
    """A flag in words, a permission as the admin calls it, or a group's name."""
    app, _dot, codename = name.partition(".")
    of_that_name = Permission.objects.filter(content_type__app_label=app, codename=codename)
    permission = of_that_name.first() if codename else None
    return str(FLAGS.get(name) or (permission.name if permission else name))
