"""One state of a visit everywhere: page, title, calendar, log, sheet, files, figures, metrics."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import icalendar
import pytest
from django.utils import timezone

from booking import services
from booking.admin import figures
from booking.models import Booking, VisitState
from booking.observability import metrics
from booking.services.booking import book
from standin import StandIn
from tests.journey import HOUSE, heading, text_of
from tests.moves import move, plain
from tests.presses import press_at
from tests.staff.test_files import LOG, csv_rows, xlsx_rows

pytestmark = pytest.mark.django_db

LABELS = {
    "expected": "ожидается",
    "over": "прошёл",
    "moved": "перенесён",
    "called_off": "отменён",
    "refused": "отказ",
    "not_sent": "не отправлена",
    "in_doubt": "под вопросом",
}
BOOKED, NOT_MOVED = "Вы записаны", "Визит не перенесён"
MOVED, MAYBE_MOVED = "Визит перенесён на", "Проверяем, перенесён ли визит"
MAY_COME = {"expected", "over", "in_doubt"}


@dataclass(frozen=True)
class Case:
    """What is done to a confirmed visit, and what each of its rows is then, the oldest first.

    `calendar` is the entry's status by row; "" where there is none.
    """

    done: Callable[[Booking, StandIn], None]
    states: list[str]
    pages: list[str]
    calendar: list[str]


def by_the_crm(visit: Booking, standin: StandIn) -> Booking:
    start = standin.free_starts(HOUSE)[6]
    return services.booking.move(visit, start, key=uuid.uuid4(), client_address=None)


def moved_by_the_crm(visit, standin):
    standin.switch(second_add="moves")
    by_the_crm(visit, standin)


def move_refused(visit, standin):
    standin.switch(second_add="refused")
    by_the_crm(visit, standin)


def move_not_sent(visit, standin):
    start = standin.free_starts(HOUSE)[6]
    standin.stop()
    services.booking.move(visit, start, key=uuid.uuid4(), client_address=None)


def move_in_doubt(visit, standin):
    standin.fail("add", "drop_after_write")
    by_the_crm(visit, standin)


def moved_by_staff(visit, standin):
    move(visit, standin.free_starts(HOUSE)[6])


def called_off_by_staff(visit, standin):
    services.visits.change(visit, by="olga", note="-")


def called_off_on_request(visit, standin):
    asked = visit.change_requests.create(kind="cancel")
    services.visits.answer(asked, answer="Отменили", by="olga", cancels=True)


def found_out_and_corrected(visit, *, was_booked):
    Booking.objects.filter(pk=visit.pk).update(outcome="in_doubt")
    services.settling.resolve(visit, was_booked=not was_booked, by="ivan", note="-")
    services.settling.correct(visit, was_booked=was_booked, by="olga", note="-")


def over(visit, standin):
    past = timezone.now() - timedelta(minutes=5)
    Booking.objects.filter(pk=visit.pk).update(starts_at=past)


AS_MOVED = (["moved", "expected"], [MOVED, BOOKED], ["CONFIRMED", "CONFIRMED"])
AS_CALLED_OFF = (["called_off"], ["Визит отменён"], ["CANCELLED"])
CASES = {
    "confirmed": Case(lambda *_: None, ["expected"], [BOOKED], ["CONFIRMED"]),
    "moved by the CRM": Case(moved_by_the_crm, *AS_MOVED),
    "moved by staff": Case(moved_by_staff, *AS_MOVED),
    "move refused": Case(
        move_refused, ["expected", "refused"], [BOOKED, NOT_MOVED], ["CONFIRMED", ""]
    ),
    "move not sent": Case(
        move_not_sent, ["expected", "not_sent"], [BOOKED, NOT_MOVED], ["CONFIRMED", ""]
    ),
    "move in doubt": Case(
        move_in_doubt, ["expected", "in_doubt"], [MAYBE_MOVED, MAYBE_MOVED], ["TENTATIVE", ""]
    ),
    "called off by staff": Case(called_off_by_staff, *AS_CALLED_OFF),
    "called off on request": Case(called_off_on_request, *AS_CALLED_OFF),
    "corrected to booked": Case(
        lambda visit, _: found_out_and_corrected(visit, was_booked=True),
        ["expected"],
        [BOOKED],
        ["CONFIRMED"],
    ),
    "corrected to refused": Case(
        lambda visit, _: found_out_and_corrected(visit, was_booked=False),
        ["refused"],
        ["Записаться не получилось"],
        [""],
    ),
    "over": Case(over, ["over"], ["Время этого визита прошло"], ["CONFIRMED"]),
}


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest, standin: StandIn) -> Case:
    visit = book(press_at(standin.free_starts(HOUSE)[0]))
    made: Case = request.param
    made.done(visit, standin)
    return made


@pytest.fixture
def rows(case) -> list[Booking]:
    return list(Booking.objects.order_by("pk"))


def test_the_rows(case, rows):
    assert [row.state.value for row in rows] == case.states


def test_the_pages_and_their_titles(case, rows, client):
    pages = [client.get(row.get_absolute_url()) for row in rows]

    for page, expected in zip(pages, case.pages, strict=True):
        title = re.search("<title>(.*?) —", text_of(page))
        assert heading(page).startswith(expected)
        assert title is not None
        assert title[1].startswith(expected)
    assert [plain(heading(page)) for page in pages].count(BOOKED) <= 1


def test_the_calendar_has_one_entry(case, rows, client):
    """Files taken before and after have the same UID, so that a calendar moves the entry."""
    files = [client.get(f"{row.get_absolute_url()}calendar.ics") for row in rows]
    entries = [
        icalendar.Calendar.from_ical(file.content).walk("VEVENT")[0]
        if file.status_code == 200
        else None
        for file in files
    ]

    assert [str(entry["STATUS"]) if entry else "" for entry in entries] == case.calendar
    uids = {str(entry["UID"]) for entry in entries if entry}
    assert uids <= {f"{rows[0].key}@key-handover"}


def test_the_log_and_the_files(case, rows, manager):
    labels = [LABELS[state] for state in reversed(case.states)]

    log = re.findall(r'field-state">(?:<a[^>]*>)?([^<]*)', text_of(manager.get(LOG)))
    csv = csv_rows(manager.get(f"{LOG}export.csv"))
    xlsx = xlsx_rows(b"".join(manager.get(f"{LOG}export.xlsx").streaming_content))

    assert log == labels
    for table in (csv, xlsx):
        column = table[0].index("состояние")
        assert [row[column] for row in table[1:]] == labels


def test_the_filters_of_the_log(case, rows, manager):
    for state in VisitState:
        found = text_of(manager.get(LOG, {"state": state.value}))
        of_state = [row for row in rows if row.state is state]
        for row in rows:
            assert (str(row.reference) in found) is (row in of_state), state


def test_the_day_sheet(case, rows, manager):
    days = {row.starts_at_local.date() for row in rows}
    sheets = [text_of(manager.get(f"{LOG}day-sheet/?day={day}")) for day in days]

    listed = [row for row in rows if any(str(row.reference) in sheet for sheet in sheets)]
    assert [row.state.value for row in listed] == [
        state for state in case.states if state in MAY_COME
    ]


def test_the_figures_and_the_metrics(case, rows):
    """A moved visit counts once in the figures, by its new row."""
    counts = Counter(case.states)
    drawn = Counter[str]()
    for bar in figures.by_day(figures.made_within(7), 7).bars:
        drawn.update({str(kind): count for kind, count in bar.parts})
    told = dict(re.findall(r'handover_bookings{state="(\w+)"} (\d+)', metrics.page().decode()))

    assert +drawn == Counter({name: n for name, n in counts.items() if name != "moved"})
    assert +Counter({name: int(count) for name, count in told.items()}) == counts
