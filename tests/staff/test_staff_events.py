"""What is kept of who logged in, who could not, and whose rights were changed by whom."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking.models import StaffEvent
from booking.roles import OF_MANAGERS, OF_OPERATORS
from tests.bookings import booking, staff
from tests.journey import text_of

LOGIN = "/admin/login/"
LOG = "/admin/booking/booking/"
RIGHT = "a-long-password"


@pytest.fixture
def olga() -> User:
    return User.objects.create_superuser("olga", password=RIGHT)


@pytest.fixture
def boss(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


@pytest.fixture(autouse=True)
def read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def log_in(name: str = "olga", password: str = RIGHT, client: Client | None = None) -> None:
    (client or Client()).post(LOGIN, {"username": name, "password": password})


def told(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """By whom, and the facts; the oldest first."""
    events = StaffEvent.objects.filter(kind=kind).order_by("pk")
    return [(event.by, event.facts) for event in events]


def lines(caplog: pytest.LogCaptureFixture, level: int) -> str:
    mine = [each for each in caplog.records if each.name == "booking.staff_events"]
    return "\n".join(each.getMessage() for each in mine if each.levelno == level)


# Logins


@pytest.mark.django_db
def test_who_logged_in_and_out(olga, caplog):
    client = Client()
    log_in(client=client)
    client.post("/admin/logout/")
    log_in(client=client)

    first, second = told("logged_in")
    assert first[0] == second[0] == "olga"
    assert [first[1]["new_browser"], second[1]["new_browser"]] == [True, False]
    assert first[1]["client"] == second[1]["client"]
    assert re.fullmatch("[0-9a-f]{12}", first[1]["client"])  # not the address
    assert told("logged_out") == [("olga", {})]
    assert "olga has logged in from a new browser" in lines(caplog, logging.INFO)


@pytest.mark.django_db
def test_who_could_not(olga, caplog):
    log_in(password="wrong-one")

    ((by, facts),) = told("login_failed")
    assert by == "olga"
    assert facts.keys() == {"client"}
    assert "Wrong password for olga" in lines(caplog, logging.INFO)
    assert "wrong-one" not in caplog.text


@pytest.mark.django_db
def test_who_has_to_wait(olga, caplog):
    for _try in range(8):
        log_in(password="wrong")

    ((by, facts),) = told("login_slowed")
    assert by == "olga"
    assert facts["limit"] == "account"
    assert re.search("Too many wrong passwords for olga: no try", lines(caplog, logging.WARNING))


@pytest.mark.parametrize("name", ["Tuman-Sosna-77", "+79001234567", "79001234567", "nobody"])
@pytest.mark.django_db
def test_of_a_name_that_nobody_has_the_beginning_is_kept(olga, name, caplog):
    """It may be a password or a phone, typed into the wrong field."""
    log_in(name, "wrong")

    ((by, facts),) = told("login_failed")
    assert by == ""
    assert facts["account"] == f"{name[:2]}… (no such account)"
    assert name not in caplog.text


@pytest.mark.django_db
def test_the_name_of_an_account_that_is_a_phone_is_masked(caplog):
    user = User.objects.create_superuser("+79001234567", password=RIGHT)
    log_in(user.username, "wrong")
    log_in(user.username)

    assert {event.by for event in StaffEvent.objects.exclude(kind="account_changed")} == {"…67"}
    assert "9001234567" not in str(list(StaffEvent.objects.values()))
    assert "9001234567" not in lines(caplog, logging.INFO)


@pytest.mark.django_db
def test_an_attacker_does_not_fill_the_table(olga, settings):
    settings.TRUSTED_PROXIES = 1
    for name in ("olga", ""):
        long_ago = timezone.now() - timedelta(seconds=61)
        StaffEvent.objects.create(kind="login_failed", by=name, at=long_ago)
    for attempt in range(20):
        form = {"username": f"name-{attempt}", "password": "wrong"}
        Client().post(LOGIN, form, headers={"X-Forwarded-For": f"203.0.113.{attempt}"})
        log_in(password="wrong")

    by = [by for by, _facts in told("login_failed")]
    assert sorted(by) == ["", "", "olga", "olga"]  # one each from before, and one a minute


# Accounts and rights


@pytest.mark.django_db
def test_an_account_is_made_given_a_role_and_closed(boss):
    new = {"username": "mark", "usable_password": "true"}
    password = {"password1": "tuman-sosna-trolley", "password2": "tuman-sosna-trolley"}
    boss.post(reverse("admin:auth_user_add"), new | password)
    mark = User.objects.get(username="mark")
    managers = Group.objects.get(name="managers")
    form = {"username": "mark", "date_joined_0": "01.01.2026", "date_joined_1": "10:00"}
    change = reverse("admin:auth_user_change", args=[mark.pk])
    for values in (
        {"is_active": "on", "is_staff": "on", "groups": [managers.pk]},
        {},
    ):
        assert boss.post(change, form | values).status_code == 302

    assert told("account_changed")[1:] == [
        ("olga", {"account": "mark", "created": True, "given": ["is_active"]}),
        ("olga", {"account": "mark", "given": ["is_staff"]}),
        ("olga", {"account": "mark", "given": ["managers"]}),
        ("olga", {"account": "mark", "taken": ["is_active", "is_staff"]}),
        ("olga", {"account": "mark", "taken": ["managers"]}),
    ]


@pytest.mark.django_db
def test_what_a_group_may_do_is_changed(boss):
    operators = Group.objects.get(name="operators")
    may = Permission.objects.get(codename="view_whole_phone")

    operators.permissions.add(may)
    operators.permissions.clear()
    User.objects.get().user_permissions.set([may])

    given, taken, own = told("account_changed")[1:]
    whole = "booking.view_whole_phone"
    assert given == ("manage.py", {"group": "operators", "given": [whole]})
    assert taken[1]["group"] == "operators"
    assert whole in taken[1]["taken"]
    assert len(taken[1]["taken"]) == len(OF_OPERATORS) + 1
    assert own[1] == {"account": "olga", "given": [whole]}


@pytest.mark.django_db
def test_the_same_from_the_groups_side(olga):
    managers = Group.objects.get(name="managers")

    managers.user_set.add(olga)
    managers.user_set.clear()

    assert told("account_changed")[1:] == [
        ("manage.py", {"account": "olga", "given": ["managers"]}),
        ("manage.py", {"account": "olga", "taken": ["managers"]}),
    ]


@pytest.mark.django_db
def test_an_account_is_renamed_and_deleted(boss):
    mark = User.objects.create_user("mark")
    mark.username = "marc"
    mark.save()
    page = reverse("admin:auth_user_delete", args=[mark.pk])
    boss.post(page, {"post": "yes"})

    renamed, deleted = told("account_changed")[-2:]
    assert renamed[1] == {"account": "marc", "renamed_from": "mark"}
    assert deleted == ("olga", {"account": "marc", "deleted": True})


@pytest.mark.django_db
def test_passwords_are_changed(boss, monkeypatch):
    User.objects.create_user("mark", password=RIGHT)
    new = "tuman-sosna-trolley"
    own = {"old_password": RIGHT, "new_password1": new, "new_password2": new}
    boss.post("/admin/password_change/", own)
    monkeypatch.setattr("getpass.getpass", lambda prompt: new)
    call_command("changepassword", "mark", stdout=StringIO())

    assert told("password_changed") == [
        ("olga", {"account": "olga"}),
        ("manage.py", {"account": "mark"}),
    ]
    assert new not in str(list(StaffEvent.objects.values()))


@pytest.mark.django_db
def test_a_hash_made_stronger_by_django_is_no_change(olga, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = olga.password
    log_in()

    olga.refresh_from_db()
    assert olga.password != before
    assert told("password_changed") == []
    assert len(told("account_changed")) == 1


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_groups_that_an_installation_begins_with_are_no_change():
    Group.objects.all().delete()
    StaffEvent.objects.all()._raw_delete("default")

    call_command("migrate", verbosity=0)

    managers = Group.objects.get(name="managers")
    assert managers.permissions.count() == len(OF_MANAGERS)
    assert not StaffEvent.objects.exists()


# Searches


@pytest.mark.parametrize("said", ["8 900 123-45-67", "лесной 9001234567", "+79001234567"])
@pytest.mark.parametrize("role", ["operators", "managers"])
@pytest.mark.django_db
def test_a_search_by_phone_leaves_a_trace(said, role):
    booking()
    client = staff("mark", role)

    client.get(LOG, {"q": said})
    client.get(LOG, {"q": "1.8-12-1"})
    client.get(LOG)

    ((by, facts),) = told("searched_phone")
    assert by == "mark"
    assert facts["page"] == LOG
    assert "67" in facts["search"]
    assert "9001234567" not in re.sub(r"\D", "", str(list(StaffEvent.objects.values())))


# What managers read


@pytest.mark.django_db
def test_managers_read_it_in_words():
    booking()
    client = staff("mark", "managers")
    User.objects.create_superuser("olga", password=RIGHT)
    for _try in range(5):
        log_in(password="wrong")
    client.get(LOG, {"q": "8 900 123-45-67"})
    may = Permission.objects.get(codename="view_whole_phone")
    Group.objects.get(name="operators").permissions.add(may)

    page = text_of(client.get("/admin/booking/staffevent/"))

    for words in (
        "вошёл",
        "В этом браузере впервые: да",
        "неверный пароль",
        "слишком много неверных паролей",
        "Неверные пароли считались: для учётной записи, в незнакомых браузерах",
        "искал по телефону",
        "Учётная запись: olga",
        "Выдано: может входить, доступ к рабочему месту, может всё",
        f"Выдано: {may.name}",
        "Группа: operators",
    ):
        assert words in page, words
    event = StaffEvent.objects.get(kind="searched_phone")
    one = text_of(client.get(f"/admin/booking/staffevent/{event.pk}/change/"))
    assert f"Искал: {event.facts['search']}" in one


@pytest.mark.django_db
def test_operators_do_not_read_it():
    assert staff("mark", "operators").get("/admin/booking/staffevent/").status_code == 403
