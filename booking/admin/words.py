"""Describe reasons, sources and the facts of events in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import wording
from booking.models import HAS_VISIT, BookingEvent, ChangeRequest, Outcome

REASONS: dict[str, Promise] = {
    "slot_taken": gettext_lazy("the time was taken by somebody else"),
    "no_match": gettext_lazy("no such flat, or the phone is not of its contract"),
    "busy": gettext_lazy("too many requests to the CRM"),
    "misconfigured": gettext_lazy(
        "the CRM does not accept this site: its settings must be looked at"
    ),
    HAS_VISIT: gettext_lazy("the flat has a visit ahead; nothing was sent to the CRM"),
    "declined": gettext_lazy("declined by the CRM"),
    "unreachable": gettext_lazy("the CRM could not be reached"),
    "no_answer": gettext_lazy("sent, but no answer came"),
    "unreadable": gettext_lazy("the answer could not be read"),
    "contradiction": gettext_lazy("the answer contradicts itself"),
    "server_error": gettext_lazy("an error inside the CRM"),
    "redirected": gettext_lazy("the CRM's address led elsewhere"),
    "unconfirmed": gettext_lazy("the answer is neither a yes nor a no"),
    "deadline": gettext_lazy("nobody wrote down an answer in time"),
    "resolved": gettext_lazy("found out by a person"),
}
LABELS: dict[str, Promise] = {
    "reason": gettext_lazy("Cause"),
    "message": gettext_lazy("The CRM's words"),
    "http_status": gettext_lazy("HTTP status"),
    "status_code": gettext_lazy("Status code in the answer"),
    "reference": gettext_lazy("Number in the CRM"),
    "seconds": gettext_lazy("Seconds the CRM took"),
    "remarks": gettext_lazy("Odd about the answer"),
    "outcome": gettext_lazy("Outcome"),
    "note": gettext_lazy("Note"),
    "starts_at": gettext_lazy("Asked for"),
    "wish": gettext_lazy("Wish"),
    "wanted_at": gettext_lazy("Wanted time"),
    "words": gettext_lazy("In the buyer's words"),
    "answer": gettext_lazy("Answer"),
    "called_off": gettext_lazy("The visit is called off"),
    "to": gettext_lazy("Moved to"),
    "by": gettext_lazy("By"),
}
EVIDENCE = {"was_free", "is_free"}


def reason(name: str) -> str:
    return str(REASONS.get(name, name))


def source(campaign: dict[str, str]) -> str:
    """The buyer's source: the campaign's tags and the link's ref."""
    names = ("utm_source", "utm_medium", "utm_campaign", "ref")
    return " / ".join(campaign[name] for name in names if campaign.get(name))


def short_moment(moment: datetime) -> str:
    """Format a moment in wall time of the installation."""
    return f"{timezone.localtime(moment):%d.%m.%Y %H:%M:%S}"


def describe_event(event: BookingEvent) -> Iterator[str]:
    """One sentence for each fact worth reading, the weightiest first."""
    facts = {name: value for name, value in event.facts.items() if value not in (None, "", [])}
    if "is_free" in facts:
        yield likelihood(was_free=facts.get("was_free"), is_free=facts["is_free"])
    known = [name for name in LABELS if name in facts]
    others = [name for name in facts if name not in LABELS and name not in EVIDENCE]
    for name in (*known, *others):
        yield f"{LABELS.get(name, name)}: {_value(name, facts[name])}"


def likelihood(*, was_free: bool | None, is_free: bool) -> str:
    """What the slot's state before and after suggests: never more than a likelihood."""
    if is_free:
        return _(
            "The time was still free afterwards: probably it was not booked. This is no proof."
        )
    if was_free:
        return _(
            "The time was free before and taken afterwards: probably by this attempt or by somebody"
            " in the same moment. This is no proof."
        )
    if was_free is None:
        return _(
            "The time was taken afterwards, by this attempt or by somebody else; nobody had looked"
            " before."
        )
    return _("The time looked taken even before the attempt: this says nothing about it.")


def _value(name: str, value: Any) -> str:
    if name == "reason":
        return reason(value)
    if name == "outcome":
        return str(Outcome(value).label)
    if name == "wish":
        return str(ChangeRequest.Kind(value).label)
    if name in {"starts_at", "to", "wanted_at"}:
        return wording.day_and_time(datetime.fromisoformat(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
