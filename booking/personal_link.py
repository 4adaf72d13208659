"""A link made for one buyer: opens at the times of one flat, and nobody can alter it.

It grants nothing: the phone still proves the right to book. It saves typing and spares strangers
the temptation of another number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.core import signing
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SALT = "booking.personal_link"
# How a booking made through such a link is marked, unless the link itself names another `ref`.
SOURCE = "personal-link"

PROBLEMS: dict[str, Promise] = {
    "broken": _("This personal link is damaged or incomplete. Please choose what you receive."),
    "expired": _("This personal link has expired. Please choose what you receive."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalLink:
    """`until` is the last day on which it opens, in the installation's time zone; None: always."""

    category: str
    house_id: str
    flat: str
    until: date | None = None

    def token(self) -> str:
        until = self.until.isoformat() if self.until else ""
        return signing.dumps([self.category, self.house_id, self.flat, until], salt=SALT)


class LinkError(Exception):
    """The link cannot be followed; `problem` is a key of PROBLEMS, `link` what is known."""

    def __init__(self, problem: str, link: PersonalLink | None = None) -> None:
        super().__init__(f"personal link: {problem}")
        self.problem = problem
        self.link = link


def read(token: str) -> PersonalLink:
    """Raises LinkError."""
    try:
        category, house_id, flat, until = signing.loads(token, salt=SALT)
    except signing.BadSignature as exc:
        raise LinkError("broken") from exc
    last = date.fromisoformat(until) if until else None
    link = PersonalLink(category=category, house_id=house_id, flat=flat, until=last)
    if last and timezone.localdate() > last:
        raise LinkError("expired", link)
    return link


def problem(name: str) -> str:
    """The sentence for a buyer; "" for a name that is none of ours."""
    return str(PROBLEMS.get(name, ""))
