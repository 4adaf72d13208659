"""The log stays quick however long it gets, and says what happened in words."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from booking import services
from booking.admin import words
from booking.models import BookingEvent, House, Outcome, VisitState
from tests.bookings import booking, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
NOW = timezone.localtime()
QUERIES: tuple[dict[str, Any], ...] = (
    {},
    *({"state": state} for state in VisitState.values),
    {"category__exact": "garage"},
    {"house": "3105011"},
    {"source": "letter"},
    {"visit_day": "today"},
    {"visit_day": "later"},
    {"visit_day": "past"},
    {"visit_day": "past", "state": "in_doubt"},
    {"created_at__gte": "2026-12-01T00:00+03:00"},
    {"created_at__gte": "2026-12-31T00:00+03:00", "created_at__lt": "2027-01-01T00:00+03:00"},
    {"q": "8 900 123-45-67"},
    {"q": "кв. 1.8-12-1"},
    {"q": "лесной"},
    {"q": "лесной 1.8-12-1"},
    {"q": "0f0f0f0f"},
    {"o": "0"},
    {"o": "-0"},
    {"o": "2"},
    {"o": "-2"},
)


@pytest.fixture(autouse=True)
def _no_houses_remembered() -> None:
    cache.clear()


def queries_of(client, query: dict[str, Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        page = client.get(LOG, query)
    assert page.status_code == 200, page.headers
    return [each["sql"] for each in captured if 'FROM "booking_booking"' in each["sql"]]


def plan_of(sql: str) -> str:
    """How the database would answer a query of the log over many rows."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            return "\n".join(row[3] for row in cursor.fetchall())
        # Over so few rows as a test has, it would read the table and sort.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def is_bounded(sql: str, plan: str) -> bool:
    """Along an index: never through the whole table, nor a sort of what was found.

    Only the count of all reads a whole index. Without a LIMIT it is the list of what was counted
    before as no more than one page.
    """
    reads_table = re.search(
        r"^(?:SCAN booking_booking|.*Seq Scan on booking_booking.*)$", plan, re.M
    )
    # PostgreSQL's incremental sort puts in order but the few that an index leaves alike.
    sorts = re.search(r"USE TEMP B-TREE FOR ORDER BY|^\s*(?:->\s*)?Sort\s+\(", plan, re.M)
    return not reads_table and not (sorts and "LIMIT" in sql)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_query_of_the_log_goes_along_an_index_and_stops(admin_client, query):
    for number in range(60):
        mark = {"utm_source": "letter"} if number % 2 else {}
        booking(flat=str(number), created_at=NOW - timedelta(minutes=number), source=mark)

    plans = {sql: plan_of(sql) for sql in queries_of(admin_client, query)}

    assert plans
    assert {sql: plan for sql, plan in plans.items() if not is_bounded(sql, plan)} == {}


def test_a_longer_page_takes_no_more_queries(admin_client):
    def make(count: int) -> None:
        for number in range(count):
            booking(flat=f"{count}-{number}", source={"ref": "site"})

    make(2)
    admin_client.get(LOG)
    few = len(queries_of(admin_client, {}))
    make(40)

    assert len(queries_of(admin_client, {})) == few


def test_a_few_are_counted_exactly(admin_client):
    booking()

    assert "1 запись" in text_of(admin_client.get(LOG))


def test_a_visit_is_found_by_the_state_that_its_row_shows(admin_client):
    made = {
        "sending": booking(flat="1", outcome="sending"),
        "expected": booking(flat="2"),
        "over": booking(flat="3", starts_at=NOW - timedelta(days=1)),
        "moved": booking(flat="4", moved_at=NOW),
        "called_off": booking(flat="5", called_off_at=NOW),
        "refused": booking(flat="6", outcome="refused"),
        "not_sent": booking(flat="7", outcome="not_sent"),
        "in_doubt": booking(flat="8", outcome="in_doubt"),
    }
    for state in VisitState:
        page = text_of(admin_client.get(LOG, {"state": state.value}))
        assert made[state].reference in page
        assert f'<td class="field-state">{state.label}</td>' in page
        assert "1 запись" in page
        found = text_of(admin_client.get(LOG, {"q": made[state].reference}))
        assert f'<td class="field-state">{state.label}</td>' in found


@pytest.mark.parametrize(
    ("state", "first"), [("expected", "sooner"), ("over", "just now"), ("moved", "newest")]
)
def test_the_visits_of_a_state_come_in_the_order_of_its_time(admin_client, state, first):
    hours = timedelta(hours=1)
    booking(flat="sooner", starts_at=NOW + hours, created_at=NOW - hours)
    booking(flat="later", starts_at=NOW + 2 * hours)
    booking(flat="just now", starts_at=NOW - hours, created_at=NOW - hours)
    booking(flat="long ago", starts_at=NOW - 2 * hours)
    booking(flat="older", moved_at=NOW, created_at=NOW - hours)
    booking(flat="newest", moved_at=NOW)

    page = text_of(admin_client.get(LOG, {"state": state}))

    assert re.findall(r'field-flat nowrap">([^<]*)|field-flat">([^<]*)', page)[0] == ("", first)


class TestSources:
    @pytest.mark.parametrize(
        ("source", "campaign"),
        [
            ({"utm_source": "letter", "ref": "x"}, "letter"),
            ({"ref": "42"}, "42"),
            ({"utm_medium": "post"}, ""),
            ({}, ""),
        ],
    )
    def test_a_booking_is_filtered_by_its_campaign_or_link(self, admin_client, source, campaign):
        wanted = booking(source=source, flat="1")
        other = booking(source={"utm_source": "other"}, flat="2")

        assert f"?source={campaign or 'other'}" in text_of(admin_client.get(LOG))
        page = text_of(admin_client.get(LOG, {"source": campaign or "other"}))

        assert (wanted.reference in page) == bool(campaign)
        assert (other.reference in page) == (not campaign)


class TestDates:
    def test_those_made_in_some_time_are_found(self, admin_client):
        booking(created_at=NOW - timedelta(days=3))
        booking(created_at=NOW - timedelta(days=400), flat="other")

        page = unescape(text_of(admin_client.get(LOG)))
        (week,) = re.findall(r'<a href="([^"]*)">Последние 7 дней', page)

        assert "1 запись" in text_of(admin_client.get(LOG + week))

    @pytest.mark.parametrize(
        "query",
        [
            {"created_at__gte": "0001-01-01T00:00+14:00"},
            {"created_at__lt": "9999-12-31T23:59-12:00"},
            {"created_at__gte": "2026-99-99"},
            {"house": "a\0"},
            {"source": "a\0"},
            {"state": "a\0"},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("page", ["", "export.csv"])
    def test_what_no_calendar_or_database_knows_is_no_error_of_ours(
        self, admin_client, query, page
    ):
        booking()

        assert admin_client.get(f"{LOG}{page}", query).status_code in (200, 302)


class TestSearch:
    @pytest.mark.parametrize(
        "said", ["к-7", "K–7", "кв. К - 7", "КВАРТИРА к-7", "лесной к-7", "К-7 3105011"]
    )
    def test_a_flat_is_found_however_it_is_spelled(self, admin_client, said):
        wanted = booking(flat="К-7")
        booking(flat="К-77", phone="+79001234568")

        page = text_of(admin_client.get(LOG, {"q": said}))

        assert wanted.reference in page
        assert "1 запись" in page

    def test_a_house_is_found_by_its_address(self, admin_client):
        House.objects.create(house_id="3105011", address="ул. Сосновая, 4")
        wanted = booking()
        booking(house_id="9", house_title="Другой дом")

        page = text_of(admin_client.get(LOG, {"q": "сосновая"}))

        assert wanted.reference in page
        assert "1 запись" in page

    @pytest.mark.parametrize("said", ["202", "сосновая"])
    def test_a_house_beyond_those_offered_is_found_too(self, admin_client, monkeypatch, said):
        monkeypatch.setattr("booking.admin.known_houses.MOST", 1)
        House.objects.create(house_id="202", address="ул. Сосновая, 4")
        booking(house_id="101", flat="K1")
        wanted = booking(house_id="202", house_title="Дом", flat="K2")

        page = text_of(admin_client.get(LOG, {"q": said}))

        assert wanted.reference in page
        assert "1 запись" in page

    def test_a_house_keeps_its_name_though_the_newest_booking_has_none(self, admin_client):
        wanted = booking(created_at=NOW - timedelta(hours=1))
        booking(house_title="", flat="other")

        assert wanted.reference in text_of(admin_client.get(LOG, {"q": "лесной"}))

    @pytest.mark.parametrize(
        "said", ["нет такого", "лесной 99", "1 " * 1100, "' OR 1=1 --", "12345678"]
    )
    def test_what_there_is_not_is_not_found(self, admin_client, said):
        booking()

        assert "0 записей" in text_of(admin_client.get(LOG, {"q": said}))

    def test_a_whole_key_is_a_number_too(self, admin_client):
        wanted = booking()
        booking(flat="other")

        page = text_of(admin_client.get(LOG, {"q": str(wanted.key)}))

        assert wanted.reference in page
        assert "1 запись" in page


class TestTheTrail:
    def test_each_event_is_one_line_of_words(self, admin_client):
        made = booking(outcome="refused", reason="declined")
        made.note(BookingEvent.Kind.EVIDENCE, {"was_free": True, "is_free": False})

        page = text_of(admin_client.get(f"{LOG}{made.pk}/change/"))

        assert "Это не доказательство" in page
        assert "is_free" not in page
        assert page.count("наблюдение") == 1

    @pytest.mark.parametrize("was_free", [True, False, None])
    @pytest.mark.parametrize("is_free", [True, False])
    def test_evidence_is_never_more_than_a_likelihood(self, was_free, is_free):
        sentence = words.likelihood(was_free=was_free, is_free=is_free)

        assert ("вероятно" in sentence.casefold()) == (is_free or was_free is True)

    def test_every_fact_has_a_name(self):
        facts = {
            "reason": "no_answer",
            "message": "Ошибка",
            "http_status": 200,
            "status_code": 500,
            "seconds": 1.5,
            "remarks": ["one", "two"],
            "outcome": "confirmed",
            "called_off": True,
            "wish": "move",
            "starts_at": tomorrow_at(12).isoformat(timespec="minutes"),
            "reference": "",
        }

        lines = list(words.describe_event(BookingEvent(facts=facts)))

        assert len(lines) == 10
        assert not [line for line in lines if re.match(r"[a-z_]+:", line)]

    def test_how_long_the_crm_took_is_a_column(self, admin_client):
        made = booking(outcome="sending")
        services.settling.settle(made, Outcome.CONFIRMED, "", {"seconds": 2.34})

        assert "2.3" in text_of(admin_client.get(LOG))


def test_the_desk_has_a_name_of_its_own(admin_client):
    page = text_of(admin_client.get("/admin/"))

    assert "Записи на передачу ключей" in page
    assert "Администрирование Django" not in page
