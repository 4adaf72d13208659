"""What a browser, a cache and an attacker get: headers, cookies, limits, the login."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.templatetags.static import static
from django.test import Client
from pytest_django.fixtures import Settings

from booking import brand
from booking.login_limits import FREE
from booking.middleware.load_shedding import Slots
from booking.models import Booking
from standin import StandIn
from tests import journey
from tests.bookings import booking
from tests.finding import NUMBER, PHONE, find
from tests.headers import GUIDE, TABLE, guide
from tests.project.test_config import settings_with
from tests.variables import ROOT

OTHER = "elsewhere.example"


@pytest.fixture
def addresses(client: Client, standin: StandIn) -> dict[str, str]:
    """What stands for a part of an address that only a run can tell."""
    start = journey.first_free(standin)
    booked = journey.send(client, journey.fill_in(client, start))
    return {
        "<answers>": urlencode(journey.answers(start + timedelta(days=1))),
        "<key>": booked.url.split("/")[2],
        "/b/<short key>/": Booking.objects.get().get_short_url(),
    }


def with_addresses(path: str, addresses: dict[str, str]) -> str:
    for placeholder, address in addresses.items():
        path = path.replace(placeholder, address)
    return path


@pytest.mark.parametrize("row", TABLE, ids=str)
@pytest.mark.django_db(transaction=True)
def test_the_headers_of_each_answer(client, standin, settings, row, request):
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    method, path = row.request.split(maxsplit=1)
    if "<" in path and "hashed" not in path:
        path = with_addresses(path, request.getfixturevalue("addresses"))
    found = request.getfixturevalue(row.when.lower().replace(" ", "_")) if row.when else None
    path = path.replace("<hashed>", str(found))
    form = found if method == "POST" else None

    response = getattr(client, method.lower())(path, form, secure=True)
    response.close()

    assert response.status_code == row.status
    assert {name: response.headers.get(name) for name in row.headers} == row.headers
    assert response.headers["X-Request-ID"]
    assert "Access-Control-Allow-Origin" not in response.headers


def test_the_guide_has_the_table():
    assert GUIDE.read_text("utf-8") == guide(), "run: python -m tests.headers"


# What has to be so before; for a form, what is posted.


@pytest.fixture
def the_form_is_complete(client: Client, standin: StandIn) -> dict[str, str]:
    return journey.fill_in(client, journey.first_free(standin))


@pytest.fixture
def the_consent_is_missing(the_form_is_complete: dict[str, str]) -> dict[str, str]:
    return the_form_is_complete | {"consent": ""}


@pytest.fixture
def the_form_is_too_large() -> dict[str, str]:
    return {"phone": "1" * (64 * 1024)}


@pytest.fixture
def the_form_is_of_another_site(
    client: Client, the_form_is_complete: dict[str, str]
) -> dict[str, str]:
    client.defaults["HTTP_SEC_FETCH_SITE"] = "cross-site"
    return the_form_is_complete


@pytest.fixture
def the_page_is_of_another_login(client: Client) -> dict[str, str]:
    client.handler.enforce_csrf_checks = True
    return {}


@pytest.fixture
def the_limit_is_reached(client: Client, standin: StandIn, settings: Settings) -> dict[str, str]:
    settings.LIMIT_PRESSES_OF_CLIENT = 1
    start = journey.first_free(standin)
    journey.send(client, journey.fill_in(client, start))
    return journey.fill_in(client, start + timedelta(days=1), flat="1.8-12-2")


@pytest.fixture
def number_and_phone_fit() -> dict[str, str]:
    made = booking()
    return {"number": str(made.reference), "phone": str(made.phone)}


@pytest.fixture
def number_and_phone_do_not_fit() -> dict[str, str]:
    return {"number": NUMBER, "phone": PHONE}


@pytest.fixture
def the_searches_are_too_many(client: Client, settings: Settings) -> dict[str, str]:
    settings.LIMIT_FIND_PER_CLIENT = 1
    find(client=client)
    return {"number": NUMBER, "phone": PHONE}


@pytest.fixture
def the_wish_is_complete() -> dict[str, str]:
    return {"kind": "cancel"}


@pytest.fixture
def the_account_must_wait(client: Client) -> dict[str, str]:
    form = {"username": "operator", "password": "wrong"}
    for _try in range(FREE["account"]):
        client.post("/admin/login/", form)
    return form


@pytest.fixture
def staff_are_logged_in(client: Client) -> None:
    client.force_login(User.objects.create_superuser("operator"))


@pytest.fixture
def the_host_is_another(client: Client) -> None:
    client.defaults["HTTP_HOST"] = OTHER


@pytest.fixture
def something_is_broken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("booking.presenters.category_tabs", Mock(side_effect=RuntimeError))


@pytest.fixture
def the_site_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slots, "acquire", lambda slots, client: False)


@pytest.fixture
def the_crm_is_away(standin: StandIn) -> None:
    standin.fail("getReadyFlats", "status", status=503)


@pytest.fixture
def the_journal_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("booking.services.booking.find", Mock(side_effect=OperationalError))


@pytest.fixture
def the_brand_has_a_colour(settings: Settings) -> str:
    settings.ACCENT_COLOR = "#1e5b43"
    return brand.stylesheet(settings.ACCENT_COLOR).name


@pytest.fixture
def the_brand_has_a_logo(settings: Settings) -> str:
    settings.LOGO_FILE = str(ROOT / "static" / "img" / "key.svg")
    return brand.picture(settings.LOGO_FILE).name


@pytest.fixture
def files_are_collected(settings: Settings, tmp_path: Path) -> str:
    """The style sheet's name with its hash."""
    settings.STATIC_ROOT = tmp_path
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
    storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": storage}}
    call_command("collectstatic", "--noinput", verbosity=0)
    return Path(static("css/site.css")).name


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
def test_behind_https_every_cookie_of_a_buyer_is_secure(client, standin, settings):
    settings.CSRF_COOKIE_SECURE = True

    standin.fail("add", "drop_before_reply")
    journey.send(client, journey.fill_in(client, journey.first_free(standin)))
    client.get("/?lang=en")

    assert set(client.cookies) == {"bookings", "lang", "phone"}
    assert all(cookie["secure"] for cookie in client.cookies.values())


@pytest.mark.django_db(transaction=True)
def test_every_cookie_of_a_buyer_is_out_of_the_reach_of_scripts(client, standin):
    start = journey.first_free(standin)
    form = journey.fill_in(client, start)
    client.get("/?lang=en")

    standin.fail("add", "drop_before_reply")
    in_doubt = journey.send(client, form)

    assert set(client.cookies) == {"bookings", "lang", "phone"}
    assert in_doubt.status_code == 302
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key


@pytest.mark.django_db
def test_the_cookie_of_staff_too(client):
    User.objects.create_superuser("operator", password="a-long-password")

    client.post("/admin/login/", {"username": "operator", "password": "a-long-password"})

    session, known = client.cookies["sessionid"], client.cookies["known_browser"]
    for cookie in (session, known):
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
    assert (session["path"], session["max-age"]) == ("/", 12 * 3600)
    assert (known["path"], known["max-age"]) == ("/admin/", 180 * 24 * 3600)


def test_behind_https_cookies_are_secure():
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")

    assert settings_with(*names) == dict.fromkeys(names, True)


@pytest.mark.django_db
def test_nothing_is_set_before_the_button_is_pressed(client, standin):
    journey.fill_in(client, journey.first_free(standin))
    for path in ("/", STEP_2, "/find/"):
        assert client.get(path).status_code == 200

    assert not client.cookies


# Names, redirects and caches


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"])
@pytest.mark.django_db(transaction=True)
def test_no_header_puts_another_host_into_a_page(client, standin, addresses, name):
    poison = {name: "evil.example"}

    booking = f"/bookings/{addresses['<key>']}/"
    pages = [client.get(path, headers=poison) for path in ("/", booking)]
    entry = client.get(f"{booking}calendar.ics", headers=poison)

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


# Limits


def assert_too_much(response: Any) -> None:
    assert response.status_code == 413
    assert journey.heading(response) == "Запрос слишком большой"


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
    assert "_token" not in page
    assert not response.cookies


@pytest.mark.parametrize("path", ["/confirm/?<answers>", "/bookings/<key>/", "/admin/login/"])
@pytest.mark.django_db(transaction=True)
def test_a_page_that_holds_something_of_somebody_is_not(client, addresses, path):
    response = client.get(with_addresses(path, addresses), headers=ASKS)

    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


# The login of staff


def test_the_desk_stands_where_the_setting_says():
    found = settings_with("ADMIN_PATH", ADMIN_PATH="/desk-7f3a")

    assert found == {"ADMIN_PATH": "desk-7f3a/"}
