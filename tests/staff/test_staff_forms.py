"""A form or page that staff are refused: why, and the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from booking.admin.csrf_failure import form_refused
from booking.models import House
from booking.urls import urlpatterns
from tests import bookings
from tests.journey import heading, hidden_fields, links, text_of

pytestmark = pytest.mark.django_db

NAME, PASSWORD = "olga", "a-long-password"
ADD_HOUSE = "/admin/booking/house/add/"
OTHER_LOGIN = "Страница открыта до последнего входа, возможно в другой вкладке."
NO_COOKIE = "Браузер не прислал куки. Разрешите их для этого сайта."


@pytest.fixture
def staff() -> Client:
    User.objects.create_superuser(NAME, password=PASSWORD)
    return Client(enforce_csrf_checks=True)


def login_form(staff: Client) -> dict[str, str]:
    page = hidden_fields(text_of(staff.get("/admin/login/?next=/admin/booking/house/")))
    return page | {"username": NAME, "password": PASSWORD}


def log_in(staff: Client, form: dict[str, str], **headers: str) -> Any:
    return staff.post("/admin/login/?next=/admin/booking/house/", form, headers=headers)


def house_form(staff: Client) -> dict[str, str]:
    return hidden_fields(text_of(staff.get(ADD_HOUSE))) | {"house_id": "7", "title": "Дом 7"}


def test_the_login_pressed_twice_leads_where_it_was_to_lead(staff):
    form = login_form(staff)
    first, second = log_in(staff, form), log_in(staff, form)

    assert first.url == second.url == "/admin/booking/house/"
    assert staff.get(second.url).status_code == 200


@pytest.mark.parametrize("target", ["https://other.example/", "//other.example/", ""])
def test_it_leads_to_no_other_site(staff, target):
    form = login_form(staff)
    log_in(staff, form)

    assert log_in(staff, form | {"next": target}).url == "/admin/"


def test_a_form_opened_before_another_login_changes_nothing_and_leads_back(staff):
    log_in(staff, login_form(staff))
    form = house_form(staff)
    staff.post("/admin/logout/", hidden_fields(text_of(staff.get("/admin/"))))
    log_in(staff, login_form(staff))
    page_it_was_on = f"http://testserver{ADD_HOUSE}?category=flat"

    page = staff.post(ADD_HOUSE, form, headers={"Referer": page_it_was_on})

    assert page.status_code == 403
    assert "Ничего не изменилось" in heading(page)
    assert OTHER_LOGIN in text_of(page)
    assert page_it_was_on in links(text_of(page))
    assert not House.objects.exists()
    again = staff.post(ADD_HOUSE, house_form(staff))
    assert again.status_code in {200, 302}


@pytest.mark.parametrize(
    "referer",
    ["", "https://other.example/admin/", "javascript:alert(1)", "http://testserver/" + "x" * 2000],
    ids=["none", "another site", "a script", "long"],
)
def test_without_a_page_to_go_back_to_it_is_the_first_one(staff, referer):
    log_in(staff, login_form(staff))

    page = staff.post(ADD_HOUSE, {}, headers={"Referer": referer})

    assert page.status_code == 403
    main = text_of(page).partition('id="content"')[2]
    assert links(main)[0] == "/admin/"


def test_a_form_of_another_site_is_told_from_an_old_one(staff):
    log_in(staff, login_form(staff))

    page = staff.post(ADD_HOUSE, house_form(staff), headers={"Origin": "https://other.example"})

    assert page.status_code == 403
    assert "Форма пришла с другого сайта." in text_of(page)
    assert not House.objects.exists()


def test_a_browser_without_cookies_can_not_log_in_and_reads_why(staff):
    form = login_form(staff)

    page = log_in(Client(enforce_csrf_checks=True), form)

    assert page.status_code == 403
    assert "Вы не вошли" in heading(page)
    assert NO_COOKIE in text_of(page)


def test_a_page_without_the_right_to_it_leads_to_the_desk():
    page = bookings.staff("ivan", "operators").get("/admin/auth/user/")

    assert page.status_code == 403
    assert "У вашей учётной записи нет на неё права." in text_of(page)
    assert "/admin/" in links(text_of(page))


@pytest.mark.parametrize(
    "pattern",
    [pattern for pattern in urlpatterns if not getattr(pattern.callback, "csrf_exempt", False)],
    ids=lambda pattern: pattern.name,
)
def test_a_page_without_a_form_takes_none(pattern):
    given = {"key": UUID("9f0e0c3d-3a7b-4a10-8b0e-1d0a6a524c1e"), "name": "x"}
    path = reverse(
        f"booking:{pattern.name}", kwargs={name: given[name] for name in pattern.pattern.converters}
    )

    page = Client(enforce_csrf_checks=True).post(path)

    assert page.status_code == 405
    assert "/" in links(text_of(page))


def test_an_address_that_leads_nowhere_takes_no_form():
    assert form_refused(RequestFactory().post("/")).status_code == 405
