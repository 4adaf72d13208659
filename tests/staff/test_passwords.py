"""What staff may not take for a password."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command

from tests.bookings import staff
from tests.journey import text_of


@pytest.fixture
def olga(settings) -> User:
    settings.SITE_NAME = "Ключи «Лесного квартала»"
    settings.ALLOWED_HOSTS = ["visit.lesnoy.example"]
    settings.MACROCRM_DOMAIN = "stroydom.example"
    names = {"first_name": "Ольга", "last_name": "Синицына", "email": "o.sinitsyna@office.example"}
    return User(username="olga", **names)


@pytest.mark.parametrize(
    "password",
    [
        "olga1234",
        "1234olga",
        "OLGA-2026",
        "olgasunshine",  # what is left is known to every attacker
        "olga19841225",  # nothing but digits is left
        "Ольга2026!",
        "sinitsyna99",
        "Квартал2026",
        "lesnoy-visit-1",
        "stroydom2026",
        "ключи2026!",
        "handover-keys-1",
        "rk.xb2026",  # the keys, typed in the other layout
        "password1!",
    ],
)
def test_a_password_of_known_words_is_refused(olga, password):
    with pytest.raises(ValidationError, match="почти ничего не остаётся"):
        validate_password(password, olga)


@pytest.mark.parametrize(
    "password",
    [
        "q7wRm2xVtb4",
        "tuman-sosna-trolley",
        "olga-tuman-sosna",
        "кедр утюг сорок два",
        "o1o2o3o4o5",
    ],
)
def test_another_password_is_taken(olga, password):
    validate_password(password, olga)


def test_a_password_like_the_name_is_refused_by_django(olga):
    with pytest.raises(ValidationError, match="слишком похож"):
        validate_password("synitsina", olga)


@pytest.mark.django_db
def test_staff_read_why_their_new_password_is_refused():
    client = staff("olga", "operators")
    new = {"new_password1": "olga1234", "new_password2": "olga1234"}

    page = client.post("/admin/password_change/", {"old_password": "example-password", **new})

    assert "почти ничего не остаётся" in text_of(page)
    assert "названия сайта и других слов" in text_of(page)  # beside the field, before one types
    assert User.objects.get().check_password("example-password")


@pytest.mark.django_db
def test_a_command_refuses_it_too(monkeypatch):
    User.objects.create_user("olga", password="example-password")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "olga1234")
    told = StringIO()

    with pytest.raises(Exception, match="Aborting password change"):
        call_command("changepassword", "olga", stdout=StringIO(), stderr=told)

    assert "почти ничего не остаётся" in told.getvalue()
