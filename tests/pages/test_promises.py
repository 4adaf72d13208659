"""What every page owes the buyer, the pages of errors before all: words, a way on, a phone."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation
from django.views import defaults

from booking import services
from booking.middleware import error_pages, load_shedding
from tests import bookings
from tests.journey import heading, links, text_of

# No test here has a database, unless it says so: pytest-django breaks whatever asks for one.

PHONE = "+7 343 000-00-00"
A_PATH = f"/bookings/{uuid4()}/"


@pytest.fixture(autouse=True)
def in_russian():
    """Whatever language another test's request has left behind."""
    with translation.override("ru"):
        yield


def bad_request() -> HttpResponse:
    return defaults.bad_request(RequestFactory().get("/"), ValueError())


def forbidden() -> HttpResponse:
    return defaults.permission_denied(RequestFactory().get("/"), PermissionDenied())


def not_found() -> HttpResponse:
    return defaults.page_not_found(RequestFactory().get("/nowhere/"), ValueError())


def broken() -> HttpResponse:
    return error_pages.broken(RequestFactory().get("/"))


def crowded() -> HttpResponse:
    with pytest.MonkeyPatch.context() as patch:
        for places in ("PAGES_AT_ONCE", "LINE"):
            patch.setattr(load_shedding, places, 0)
        middleware = load_shedding.LoadSheddingMiddleware(lambda _: HttpResponse())
        return middleware(RequestFactory().get("/"))


every_error = pytest.mark.parametrize(
    ("made", "status", "title"),
    [
        (bad_request, 400, "Не удалось разобрать этот адрес"),
        (forbidden, 403, "Эта страница для вас закрыта"),
        (not_found, 404, "Такой страницы нет"),
        (broken, 500, "У нас что-то сломалось"),
        (crowded, 503, "Сейчас слишком много посетителей"),
    ],
)


@every_error
def test_a_page_of_an_error_says_what_is_the_matter_and_whom_to_call(made, status, title):
    answer = made()

    assert answer.status_code == status
    assert heading(answer) == title
    assert f'href="tel:+73430000000">{PHONE}</a>' in text_of(answer)


@every_error
def test_no_page_of_an_error_speaks_in_numbers(made, status, title):
    main = re.search(r"<main.*</main>", text_of(made()), re.DOTALL)

    assert main
    assert str(status) not in main[0]


@every_error
def test_a_page_of_an_error_looks_like_the_others_and_is_in_no_index(made, status, title):
    html = text_of(made())

    assert "css/site.css" in html
    assert 'class="header"' in html
    assert '<meta name="robots" content="noindex">' in html


class TestWaysOn:
    """Where a press of the button ended in a page of an error, and where one came from."""

    FORM = "/confirm/?category=flat&house=3105011&flat=1&start=2026-12-01T10%3A00&ref=sms"

    def test_a_press_without_the_journal_leads_back_to_the_answers(
        self, client, journal_that_fails
    ):
        journal_that_fails(OperationalError("no route"))
        form = {"phone": "8 900 123-45-67", "consent": "on", "key": str(uuid4())}

        page = client.post(self.FORM, form)

        assert page.status_code == 503
        assert self.FORM in links(text_of(page))

    @pytest.mark.parametrize("path", ["/nowhere/", "/accessibility/"])
    def test_where_one_came_from_is_kept(self, client, path):
        page = client.get(f"{path}?utm_source=letter&other=1")

        onward = [link for link in links(text_of(page)) if link.startswith(("/?", "/access"))]
        assert "/?utm_source=letter" in onward
        assert "/accessibility/?utm_source=letter" in onward

    def test_an_address_with_too_much_in_it_leads_to_the_start(self, client):
        page = client.get("/?" + "&".join(f"field{number}=" for number in range(300)))

        assert page.status_code == 413
        assert "/" in links(text_of(page))


def test_a_site_without_a_phone_offers_none(settings):
    settings.SUPPORT_PHONE = ""

    assert "tel:" not in text_of(broken())
    assert "tel:" not in text_of(crowded())


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", ["confirmed", "in_doubt", "sending"])
def test_without_a_phone_nobody_is_asked_to_call(client, settings, outcome):
    """Whoever reads «позвоните» must find the number."""
    address = bookings.booking(outcome=outcome).get_absolute_url()
    assert "озвоните" in text_of(client.get(address))
    settings.SUPPORT_PHONE = ""

    for path in (address, "/accessibility/"):
        assert "озвоните" not in text_of(client.get(path))


def test_a_deployment_without_a_phone_is_warned(settings):
    settings.SUPPORT_PHONE = ""
    told = run_checks(include_deployment_checks=True)

    assert [each.id for each in told if "SUPPORT_PHONE" in each.msg] == ["booking.W001"]


@pytest.fixture
def journal_that_fails(monkeypatch):
    def fail_with(error: Exception) -> None:
        def find(key: object) -> None:
            raise error

        monkeypatch.setattr(services.booking, "find", find)

    return fail_with


@pytest.mark.parametrize("error", [OperationalError("no route"), InterfaceError("closed")])
def test_a_database_that_is_away_is_no_dead_end(client, journal_that_fails, error):
    journal_that_fails(error)

    answer = client.get(A_PATH)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert answer.headers["Cache-Control"] == "no-store"
    assert heading(answer) == "Запись временно недоступна"
    assert "запись в силе" in text_of(answer)
    assert f'href="{A_PATH}">Попробовать ещё раз' in text_of(answer)
    assert PHONE in text_of(answer)


def test_it_is_told_to_whoever_watches(client, journal_that_fails, caplog):
    journal_that_fails(OperationalError("no route"))

    client.get(A_PATH)

    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "No page without the database: OperationalError: no route"
    # Else an outage would leave a traceback for each page.
    assert record.exc_info is None


def test_it_speaks_english_too(client, journal_that_fails):
    journal_that_fails(OperationalError("no route"))

    answer = client.get(A_PATH, {"lang": "en"})

    assert heading(answer) == "Booking is not available just now"


def test_a_bug_is_no_outage(client, journal_that_fails):
    client.raise_request_exception = False
    journal_that_fails(KeyError("a bug"))

    answer = client.get(A_PATH)

    assert answer.status_code == 500
    assert heading(answer) == "У нас что-то сломалось"


def test_the_statement_of_accessibility_has_the_day_of_its_installation(client, settings):
    assert "Заявление от" not in text_of(client.get("/accessibility/"))

    settings.ACCESSIBILITY_DATE = date(2026, 12, 1)
    statement = text_of(client.get("/accessibility/"))

    assert "Заявление от 1 декабря 2026" in statement
    assert "WCAG 2.2" in statement
    assert "ГОСТ Р 52872-2019" in statement
