"""What staff do with a visit, and how its pages tell of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import icalendar
from django.urls import reverse

from booking import services
from booking.models import Booking, ChangeRequest
from tests.bookings import tomorrow_at
from tests.journey import text_of

LATER = tomorrow_at(12) + timedelta(days=7)
LATER_STILL = tomorrow_at(15) + timedelta(days=14)


def asked_to_move(made: Booking) -> ChangeRequest:
    return made.change_requests.create(kind="move", wish="Лучше в субботу")


def url_of(asked: ChangeRequest) -> str:
    return reverse("admin:booking_changerequest_answer", args=[asked.pk])


def moved_to(moment: datetime, **form: str) -> dict[str, str]:
    """The form of an answer, filled in."""
    new_time = {"day": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}"}
    return {"becomes": "moved", **new_time, "answer": "", **form}


def move(made: Booking, moment: datetime) -> Booking:
    asked = asked_to_move(made)
    assert services.visits.answer(asked, answer="Перенесли", by="olga", moved_to=moment)
    return made.latest()


def call_off(made: Booking) -> None:
    asked = made.change_requests.create(kind="cancel")
    assert services.visits.answer(asked, answer="Отменили", by="olga", cancels=True)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def spaced(page) -> str:
    return plain(text_of(page))


def main_of(page) -> str:
    html = spaced(page)
    return html[html.index("<main") : html.index("</main>")]


def entry(client, made: Booking):
    file = client.get(f"{made.get_absolute_url()}calendar.ics")
    (event,) = icalendar.Calendar.from_ical(file.content).walk("VEVENT")
    return event
