"""A buyer's form is taken without a cookie, another site's is not; what was typed is kept."""

from __future__ import annotations

import io
import time
from html import unescape
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.core.signing import TimestampSigner
from django.test import Client
from django.urls import URLPattern, reverse

from booking.models import Booking
from booking.urls import urlpatterns
from booking.views.cross_site import form_token
from standin import ACCEPTED_PHONE, StandIn
from tests import bookings
from tests.journey import answers, fill_in, first_free, heading, hidden_fields, send, text_of

pytestmark = pytest.mark.django_db

A_DAY = 24 * 3600
OTHER = "https://other.example"
PARTNER = "https://partner.example"

OTHER_SITE = "Форма пришла с другого сайта."
TOO_OLD = "Страница была открыта больше суток."
NOT_WHOLE = "Форма дошла до нас не целиком."


class Forgetful(Client):
    """Keeps no cookie and tells nothing of itself; Django's own check is on."""

    def request(self, **request: Any) -> Any:
        self.cookies.clear()
        return super().request(**request)


@pytest.fixture
def buyer() -> Client:
    return Forgetful(enforce_csrf_checks=True)


def token(*, age: int = 0) -> str:
    with patch("time.time", return_value=time.time() - age):
        return form_token()


def look_up(buyer: Client, given: str, **headers: str) -> int:
    """Post the shortest form. 422 is the answer of its view: there is no such booking."""
    form = {"number": "А1234ВС", "phone": "8 900 123-45-67", "form_token": given}
    status: int = buyer.post("/find/", form, headers=headers).status_code
    return status


# What the buyer tells


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        # A messenger's buyer, or a page whose referrer is hidden.
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": OTHER}, True),
        ({"Sec-Fetch-Site": "same-origin", "Referer": OTHER}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OTHER}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://www.testserver"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": PARTNER}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": PARTNER}, True),
        # A value that is not known yet says nothing: the origin decides.
        ({"Sec-Fetch-Site": "same-planet", "Origin": OTHER}, False),
        ({"Sec-Fetch-Site": "same-planet", "Origin": "http://testserver"}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://testserver"}, True),
        ({"Origin": "https://testserver:8443"}, True),
        ({"Origin": PARTNER}, True),
        ({"Origin": "http://partner.example"}, False),
        ({"Origin": "https://a.wide.example"}, True),
        ({"Origin": "https://wide.example.other.example"}, False),
        ({"Origin": OTHER}, False),
        ({"Origin": "http://testserver.other.example"}, False),
        ({"Origin": "http://othertestserver"}, False),
        ({"Origin": "http://testserver@other.example"}, False),
        ({"Origin": "http://[testserver"}, False),
        ({"Origin": "file://"}, False),
        ({"Origin": "x" * 60_000}, False),
        ({"Origin": "http://other.example/" + "testserver" * 6000}, False),
    ],
    ids=lambda value: " ".join(value.values())[:60] if isinstance(value, dict) else None,
)
def test_a_browser_that_tells_where_the_form_stood_needs_no_token(
    buyer, settings, headers, is_taken
):
    settings.CSRF_TRUSTED_ORIGINS = [PARTNER, "https://*.wide.example"]

    assert look_up(buyer, given="", **headers) == (422 if is_taken else 403)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": OTHER}])
def test_no_token_helps_a_form_of_another_site(buyer, headers):
    assert look_up(buyer, token(), **headers) == 403


def test_our_name_is_the_one_by_which_the_site_is_called(buyer, settings):
    settings.ALLOWED_HOSTS = ["visit.example"]
    called = {"Host": "visit.example:8443"}

    assert look_up(buyer, given="", Origin="https://visit.example", **called) == 422
    assert look_up(buyer, given="", Origin="https://testserver", **called) == 403


# The token of one that tells nothing


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Referer": OTHER}])
@pytest.mark.parametrize(
    ("made", "status"),
    [
        (token, 422),
        (lambda: token(age=A_DAY - 60), 422),
        (lambda: token(age=A_DAY + 60), 403),
        (lambda: "", 403),
        (lambda: "nonsense", 403),
        (lambda: TimestampSigner(key="guessed", salt="booking.form").sign("form"), 403),
        (lambda: TimestampSigner(salt="something else").sign("form"), 403),
        (lambda: f"{token()}x", 403),
        (lambda: token() * 900, 403),
    ],
    ids=["new", "a day", "older", "none", "nonsense", "forged", "of else", "changed", "long"],
)
def test_a_browser_that_tells_nothing_shows_the_token_of_the_form(buyer, headers, made, status):
    assert look_up(buyer, made(), **headers) == status


def test_a_token_outlives_a_change_of_the_key(buyer, settings):
    before = token()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-that-is-long-enough-to-be-one"

    assert look_up(buyer, before) == 422


class BrokenBody(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError("connection reset")


@pytest.mark.parametrize("path", ["/find/", "/confirm/"])
def test_a_body_that_breaks_off_is_no_bug(client, path):
    page = client.post(path, {"phone": "8"}, **{"wsgi.input": BrokenBody()})

    assert page.status_code == 400


# Step 3


@pytest.fixture
def form(buyer: Client, standin: StandIn) -> dict[str, str]:
    return fill_in(buyer, first_free(standin), utm_source="sms")


refusals = pytest.mark.parametrize(
    ("change", "headers", "cause"),
    [
        ({}, {"Sec-Fetch-Site": "cross-site"}, OTHER_SITE),
        ({}, {"Origin": OTHER}, OTHER_SITE),
        ({"form_token": token(age=A_DAY + 60)}, {}, TOO_OLD),
        ({"form_token": ""}, {}, NOT_WHOLE),
        ({"form_token": "forged"}, {"Origin": "null"}, NOT_WHOLE),
    ],
    ids=["cross-site", "another origin", "too old", "without a token", "forged"],
)


def without_token(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name != "form_token"}


@pytest.mark.django_db(transaction=True)
@refusals
def test_a_form_that_is_refused_is_kept_and_the_next_press_books(
    buyer, standin, form, change, headers, cause
):
    page = buyer.post("/confirm/", form | change, headers=headers)

    html = text_of(page)
    assert page.status_code == 403
    assert heading(page) == "Проверьте и подтвердите запись"
    assert f"Запись не отправлена. {cause} Ваш выбор сохранён" in html
    assert 'value="8 (900) 123-45-67"' in html
    assert html.count(" checked") == 1
    assert not Booking.objects.exists()
    assert standin.count("add") == 0
    shown = hidden_fields(html)
    assert without_token(shown) == {
        name: value
        for name, value in without_token(form).items()
        if name not in {"phone", "consent"}
    }

    pressed = buyer.post("/confirm/", shown | {"phone": ACCEPTED_PHONE, "consent": "on"})

    assert heading(buyer.get(pressed.url)) == "Вы записаны"
    assert standin.count("add") == 1


def test_what_is_missing_is_told_beside_the_reason(buyer, form):
    page = buyer.post("/confirm/", form | {"phone": "12", "form_token": ""})

    assert page.status_code == 403
    assert NOT_WHOLE in text_of(page)
    assert "Укажите номер телефона" in text_of(page)
    assert 'value="12"' in text_of(page)


def test_a_form_without_its_key_gets_a_new_one(buyer, form):
    page = buyer.post("/confirm/", form | {"key": "", "form_token": ""})

    assert hidden_fields(text_of(page))["key"]
    assert NOT_WHOLE in text_of(page)


def test_a_body_that_was_lost_leaves_the_answers_of_the_address(buyer, standin):
    address = f"/confirm/?{urlencode(answers(first_free(standin), utm_source='sms'))}"

    page = buyer.post(address)

    assert page.status_code == 403
    assert NOT_WHOLE in text_of(page)
    assert f'action="{address}"' in unescape(text_of(page))
    assert " checked" not in text_of(page)
    assert "field__error" not in text_of(page)


def test_without_answers_step_1_begins_with_the_source_kept(buyer, standin):
    assert buyer.post("/confirm/?utm_source=sms").url == "/?utm_source=sms"


@pytest.mark.parametrize("start", ["", "nonsense"])
def test_without_a_time_step_2_asks_for_one(buyer, form, start):
    assert buyer.post("/confirm/", form | {"start": start, "form_token": ""}).url.startswith(
        "/time/?category=flat&house="
    )


@pytest.mark.django_db(transaction=True)
def test_the_lists_need_not_be_read_to_show_the_form_again(buyer, standin, form):
    cache.clear()
    standin.stop()

    page = buyer.post("/confirm/", form | {"form_token": ""})

    assert page.status_code == 403
    assert hidden_fields(text_of(page))["flat"] == form["flat"]


# The booking's page


@refusals
def test_a_wish_that_is_refused_is_kept_and_the_next_press_sends_it(buyer, change, headers, cause):
    booking = bookings.booking()
    form = {"kind": "move", "wish": "после обеда", "form_token": token()}
    path = reverse("booking:ask_for_change", args=[booking.key])

    page = buyer.post(path, form | change, headers=headers)

    html = text_of(page)
    assert page.status_code == 403
    assert f"Просьба не отправлена. {cause}" in html
    assert "после обеда</textarea>" in html
    assert 'value="move"' in html.partition(" checked")[0].rpartition("<input")[2]
    assert '<details class="more" open>' in html
    assert not booking.change_requests.exists()

    buyer.post(path, {"kind": "move", "wish": "после обеда"} | hidden_fields(html))

    assert booking.change_requests.get().wish == "после обеда"


@pytest.mark.django_db(transaction=True)
@refusals
def test_trying_again_that_is_refused_is_told_and_the_next_press_books(
    buyer, standin, form, change, headers, cause
):
    standin.stop()
    made = buyer.post("/confirm/", form).url
    standin.start()
    calls = standin.count("add")

    page = buyer.post(f"{made}again/", {"form_token": token()} | change, headers=headers)

    html = text_of(page)
    assert page.status_code == 403
    assert f"Запись не отправлена. {cause} Нажмите кнопку ещё раз." in html
    assert Booking.objects.count() == 1
    assert standin.count("add") == calls

    pressed = buyer.post(f"{made}again/", hidden_fields(html))

    assert heading(buyer.get(pressed.url)) == "Вы записаны"


@pytest.mark.parametrize("step", ["again", "change"])
def test_the_addresses_of_the_buttons_opened_as_pages_lead_to_the_booking(buyer, step):
    address = bookings.booking().get_absolute_url()

    page = buyer.get(f"{address}{step}/", headers={"Sec-Fetch-Site": "cross-site"})

    assert page.url == address


# "Already booked?"


@refusals
def test_a_look_up_that_is_refused_is_kept(buyer, change, headers, cause):
    booking = bookings.booking(reference="А1234ВС")
    form = {"number": "А1234ВС", "phone": "8 900 123-45-67", "form_token": token()}

    page = buyer.post("/find/", form | change, headers=headers)

    html = text_of(page)
    assert page.status_code == 403
    assert f"Поиск ещё не начат. {cause}" in html
    assert 'value="А1234ВС"' in html
    assert 'value="8 (900) 123-45-67"' in html

    found = buyer.post("/find/", form | hidden_fields(html))

    assert found.url == booking.get_absolute_url()


# Every page of a buyer


@pytest.fixture
def pages(buyer: Client, standin: StandIn) -> list[Any]:
    start = first_free(standin)
    chosen = urlencode(answers(start))
    booked = send(buyer, fill_in(buyer, start))
    not_sent = bookings.booking(outcome="not_sent", flat="1.8-12-2").get_absolute_url()
    later = urlencode(answers(standin.free_starts("3105011")[-1]))
    paths = ("/", f"/time/?{chosen}", f"/confirm/?{later}", "/find/", "/accessibility/", not_sent)
    return [buyer.get(path) for path in (*paths, booked.url)]


@pytest.mark.django_db(transaction=True)
def test_no_page_of_a_buyer_sets_the_cookie_of_django_s_check(pages):
    assert [page.status_code for page in pages] == [200] * 7
    assert not any(page.cookies for page in pages)
    assert not any("csrfmiddlewaretoken" in text_of(page) for page in pages)
    assert ["form_token" in text_of(page) for page in pages] == [
        *[False, False, True, True, False],
        *[True, True],
    ]


@pytest.mark.django_db(transaction=True)
def test_a_buyer_s_form_outlives_a_login_of_staff_in_another_tab(
    client, standin, django_user_model
):
    django_user_model.objects.create_superuser("olga", password="a-long-password")
    client.handler.enforce_csrf_checks = True
    form = fill_in(client, first_free(standin))
    login = hidden_fields(text_of(client.get("/admin/login/")))
    client.post("/admin/login/", login | {"username": "olga", "password": "a-long-password"})
    assert "sessionid" in client.cookies

    assert heading(client.get(client.post("/confirm/", form).url)) == "Вы записаны"


def is_for_forms(pattern: URLPattern) -> bool:
    return bool(getattr(pattern.callback, "csrf_exempt", False))


def test_these_pages_take_forms():
    taking = {pattern.name for pattern in urlpatterns if is_for_forms(pattern)}

    assert taking == {
        "confirm",
        "find_booking",
        "book_again",
        "ask_for_change",
        "ask_for_visit",
        "move_visit",
    }
