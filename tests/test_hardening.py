"""What a browser, a cache and an attacker get: headers, cookies, limits, the login."""

from __future__ import annotations

import gzip
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from booking.standin import StandIn
from booking.standin.estate import REFUSED_PHONE
from tests import journey
from tests.test_config import settings_with

NO_STORE = "max-age=0, no-cache, no-store, must-revalidate, private"
FOR_EVERY_ANSWER = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(),"
        " geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(),"
        " publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# path -> status, who may keep it
TABLE = {
    "/": (200, NO_STORE),
    "/time/?category=flat&house=3105011&flat=1.8-12-1": (200, NO_STORE),
    "/time/": (302, NO_STORE),
    "/confirm/": (302, NO_STORE),
    "{confirm}": (200, NO_STORE),
    "{booking}": (200, NO_STORE),
    "{booking}calendar.ics": (200, NO_STORE),
    "/bookings/00000000-0000-0000-0000-000000000000/": (404, "no-store"),
    "/accessibility/": (200, "no-store"),
    "/nowhere/": (404, "no-store"),
    "/time": (301, "no-store"),
    "/healthz/": (200, NO_STORE),
    "/readyz/": (200, NO_STORE),
    "/admin/": (302, NO_STORE),
    "/admin/login/": (200, NO_STORE),
    "/static/css/site.css": (200, "max-age=3600, public"),
}


@pytest.fixture
def addresses(client: Client, standin: StandIn) -> dict[str, str]:
    """The pages of the table whose addresses only a run can tell."""
    booked = journey.send(client, journey.fill_in(client, journey.first_free(standin)))
    confirm = "/confirm/?" + urlencode(journey.answers(journey.first_free(standin)))
    return {"{confirm}": confirm, "{booking}": booked.url}


def with_addresses(path: str, addresses: dict[str, str]) -> str:
    for placeholder, address in addresses.items():
        path = path.replace(placeholder, address)
    return path


@pytest.mark.parametrize("path", TABLE)
@pytest.mark.django_db(transaction=True)
def test_the_headers_of_each_page(client, standin, path, request):
    status, may_keep = TABLE[path]
    if "{" in path:
        path = with_addresses(path, request.getfixturevalue("addresses"))

    response = client.get(path)
    response.close()

    assert response.status_code == status
    headers = {name: response.headers.get(name) for name in FOR_EVERY_ANSWER}
    assert headers == FOR_EVERY_ANSWER
    assert response.headers["Cache-Control"] == may_keep
    assert response.headers["X-Request-ID"]
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.django_db
def test_the_pages_of_errors_have_them_too(client, standin, settings):
    standin.fail("getReadyFlats", "status", status=503)

    away = client.get("/")
    forbidden = Client(enforce_csrf_checks=True).post("/confirm/", {})
    stranger = client.get("/", headers={"host": "elsewhere.example"})

    assert [r.status_code for r in (away, forbidden, stranger)] == [503, 403, 400]
    for response in (away, forbidden, stranger):
        assert {name: response.headers.get(name) for name in FOR_EVERY_ANSWER} == FOR_EVERY_ANSWER
        assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.django_db
def test_no_page_has_script_or_style_inside(client, standin):
    for path in ("/", "/time/?category=flat&house=3105011&flat=1.8-12-1", "/admin/login/"):
        page = journey.text_of(client.get(path))

        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=", page), path


# https


def test_a_browser_is_told_to_keep_to_https_for_a_year(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600

    plain = client.get("/", headers={"host": "localhost"})
    secure = client.get("/healthz/", secure=True)

    assert plain.status_code == 301
    assert plain.headers["Location"] == "https://localhost/"
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]


def test_production_insists_on_it():
    found = settings_with("SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT")

    assert found == {"SECURE_HSTS_SECONDS": 31536000, "SECURE_SSL_REDIRECT": True}


# Cookies


@pytest.mark.django_db(transaction=True)
def test_every_cookie_of_a_buyer_is_out_of_the_reach_of_scripts(client, standin):
    start = journey.first_free(standin)
    form = journey.fill_in(client, start)
    client.get("/?lang=en")

    refused = journey.send(client, form | {"phone": REFUSED_PHONE})

    assert set(client.cookies) == {"booking", "csrftoken", "lang", "phone"}
    assert refused.status_code == 302
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key


@pytest.mark.django_db
def test_the_cookie_of_staff_too(client):
    User.objects.create_superuser("operator", password="a-long-password")

    client.post("/admin/login/", {"username": "operator", "password": "a-long-password"})

    session = client.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert session["max-age"] == 12 * 3600


def test_behind_https_cookies_are_secure():
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")

    assert settings_with(*names) == dict.fromkeys(names, True)


@pytest.mark.django_db
def test_nothing_is_set_before_the_last_step(client, standin):
    client.get("/")
    client.get(f"/time/?category=flat&house={journey.HOUSE}&flat={journey.FLAT}")

    assert not client.cookies


# Names, redirects and caches


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"])
@pytest.mark.django_db(transaction=True)
def test_no_header_puts_another_host_into_a_page(client, standin, addresses, name):
    poison = {name: "evil.example"}

    pages = [client.get(path, headers=poison) for path in ("/", addresses["{booking}"])]
    entry = client.get(addresses["{booking}"] + "calendar.ics", headers=poison)

    for response in (*pages, entry):
        assert response.status_code == 200
        assert b"evil.example" not in response.content
    assert b"http://testserver/bookings/" in entry.content.replace(b"\r\n ", b"")


def test_https_is_not_believed_from_a_client_without_a_proxy(client, settings):
    settings.SECURE_SSL_REDIRECT = True

    response = client.get("/", headers={"X-Forwarded-Proto": "https"})

    assert response.status_code == 301


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "//evil.example/time",
        "/\\evil.example/time",
        "/time/?next=//evil.example/",
        "/?category=//evil.example&house=https://evil.example/&flat=//evil.example",
        "/confirm/?category=flat&house=//evil.example&flat=1&start=2026-12-01T10:00",
    ],
)
@pytest.mark.django_db
def test_no_address_leads_to_another_site(client, standin, path):
    response = client.get(path)

    assert not re.match(r"(https?:)?//|/\\", response.headers.get("Location", "/"))


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "\\\\evil.example"])
@pytest.mark.django_db
def test_the_login_leads_to_no_other_site(client, target):
    User.objects.create_superuser("operator", password="a-long-password")
    form = {"username": "operator", "password": "a-long-password", "next": target}

    response = client.post(f"/admin/login/?next={target}", form)

    assert response.status_code == 302
    assert response.headers["Location"] == "/admin/"


# Forms of other sites


@pytest.fixture
def careful(standin: StandIn) -> Client:
    """A browser towards which the check of forms is on, as it is in production."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.django_db(transaction=True)
def test_a_form_of_another_site_books_nothing(careful, standin):
    form = journey.fill_in(careful, journey.first_free(standin))

    response = careful.post("/confirm/", form, headers={"origin": "https://evil.example"})

    assert response.status_code == 403
    assert standin.count("add") == 0


@pytest.mark.django_db(transaction=True)
def test_our_own_form_books(careful, standin):
    start = journey.first_free(standin)
    page = journey.text_of(careful.get("/confirm/", journey.answers(start)))
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = journey.fill_in(careful, start) | {"csrfmiddlewaretoken": token}

    response = careful.post("/confirm/", form)

    assert response.status_code == 302
    assert standin.count("add") == 1


@pytest.mark.parametrize("step", ["again", "change"])
@pytest.mark.django_db(transaction=True)
def test_nothing_on_a_bookings_page_can_be_pressed_from_elsewhere(careful, addresses, step):
    response = careful.post(f"{addresses['{booking}']}{step}/", {})

    assert response.status_code == 403


# Limits


def assert_too_much(response: Any) -> None:
    assert response.status_code == 413
    assert journey.heading(response) == "Отправлено слишком много"


@pytest.mark.django_db
def test_a_body_that_no_form_of_ours_has_is_refused(client, standin):
    assert_too_much(client.post("/confirm/", {"phone": "1" * (64 * 1024)}))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.django_db
def test_more_fields_than_any_form_has_are_refused(client, standin, method):
    assert_too_much(getattr(client, method)("/confirm/", {f"field{n}": "" for n in range(251)}))


@pytest.mark.django_db
def test_a_file_is_refused(client, standin, tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"x")

    with file.open("rb") as upload:
        assert_too_much(client.post("/confirm/", {"phone": upload}))


# Compression

ASKS = {"Accept-Encoding": "gzip, br"}
STEP_2 = f"/time/?category=flat&house={journey.HOUSE}&flat={journey.FLAT}"


@pytest.mark.parametrize("path", ["/", STEP_2])
@pytest.mark.django_db
def test_long_public_pages_are_compressed(client, standin, path):
    response = client.get(path, headers=ASKS)

    assert response.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response.headers["Vary"]
    page = gzip.decompress(response.content).decode()
    # The reason why it may be: nothing in it is worth guessing.
    assert "csrfmiddlewaretoken" not in page
    assert not response.cookies


@pytest.mark.parametrize("path", ["{confirm}", "{booking}", "/admin/login/"])
@pytest.mark.django_db(transaction=True)
def test_a_page_that_holds_something_of_somebody_is_not(client, addresses, path):
    response = client.get(with_addresses(path, addresses), headers=ASKS)

    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


# The login of staff


def tries(client: Client, count: int, **headers: str) -> list[int]:
    form = {"username": "operator", "password": "wrong"}
    return [
        client.post("/admin/login/", form, headers=headers).status_code for _try in range(count)
    ]


@pytest.mark.django_db
def test_passwords_cannot_be_guessed_at_leisure(client):
    User.objects.create_superuser("operator", password="a-long-password")

    assert tries(client, 11) == [200] * 9 + [429] * 2

    form = {"username": "operator", "password": "a-long-password"}
    assert client.post("/admin/login/", form).status_code == 429


@pytest.mark.parametrize("asks", [{}, {"X-Requested-With": "XMLHttpRequest"}])
@pytest.mark.django_db
def test_who_is_locked_out_reads_why_and_until_when(client, asks):
    tries(client, 10)

    form = {"username": "operator", "password": "wrong"}
    response = client.post("/admin/login/", form, headers=asks)

    assert response.status_code == 429
    assert journey.heading(response) == "Слишком много неверных паролей"
    assert re.search(r"снова после \d\d:\d\d\.", journey.text_of(response))
    assert response.headers["Retry-After"] == "900"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "operator" not in journey.text_of(response)


@pytest.mark.django_db
def test_who_guesses_elsewhere_shuts_nobody_out(client, settings):
    settings.TRUSTED_PROXIES = 1
    User.objects.create_superuser("operator", password="a-long-password")
    tries(client, 11, **{"X-Forwarded-For": "203.0.113.9"})

    form = {"username": "operator", "password": "a-long-password"}
    response = client.post("/admin/login/", form, headers={"X-Forwarded-For": "203.0.113.10"})

    assert response.status_code == 302


def test_the_desk_stands_where_the_setting_says():
    found = settings_with("ADMIN_PATH", ADMIN_PATH="/desk-7f3a")

    assert found == {"ADMIN_PATH": "desk-7f3a/"}
