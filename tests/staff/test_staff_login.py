"""Who guesses passwords of staff must wait; who is of staff gets in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from prometheus_client import REGISTRY

from booking.known_browsers import COOKIE, LONGEST, MOST, is_known
from booking.login_limits import FREE, begin
from booking.models import LoginCounter
from tests.journey import text_of

LOGIN = "/admin/login/"
RIGHT = "a-long-password"
IN, WRONG, WAITS = 302, 200, 429


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1


@pytest.fixture
def olga() -> User:
    return User.objects.create_superuser("olga", password=RIGHT)


@pytest.fixture
def known(olga: User) -> Client:
    """The browser in which Olga has logged in yesterday."""
    client = Client()
    assert log_in(client) == IN
    client.post("/admin/logout/")
    return client


class Clock:
    """Minutes go by when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def addresses() -> Iterator[str]:
    yield from (f"203.0.{n // 250}.{n % 250 + 1}" for n in range(10_000))


OFFICE = "198.51.100.7"


def post(client: Client, name: str, password: str, address: str = OFFICE) -> Any:
    form = {"username": name, "password": password}
    return client.post(LOGIN, form, headers={"X-Forwarded-For": address})


def log_in(client: Client, name: str = "olga", password: str = RIGHT, **options: str) -> int:
    status: int = post(client, name, password, **options).status_code
    return status


def guess(count: int, name: str = "olga", **options: str) -> list[int]:
    """What strangers are answered, each with a browser and an address of their own."""
    there = addresses()
    own = [{"address": next(there)} | options for _try in range(count)]
    return [log_in(Client(), name, "wrong", **options) for options in own]


# Guessing the password of one account


@pytest.mark.django_db
def test_addresses_without_end_are_of_no_use(olga, clock):
    assert guess(8) == [WRONG] * FREE["account"] + [WAITS] * 3

    assert log_in(Client(), address="192.0.2.1") == WAITS  # not even the right one is looked at
    assert LoginCounter.objects.count() == 1 + FREE["account"]


@pytest.mark.django_db
def test_other_ways_to_write_an_account_give_no_further_tries():
    admin = User.objects.create_superuser("admin")
    request = RequestFactory().get(LOGIN, REMOTE_ADDR="")

    # By PostgreSQL's UPPER() all of these are one; no casefold() makes the dotless i an i.
    for name in ("admin", "ADMIN", "adm\N{LATIN SMALL LETTER DOTLESS I}n"):
        begin(request, name, admin)

    assert [counter.failures for counter in LoginCounter.objects.all()] == [3]


@pytest.mark.django_db
def test_each_pause_is_longer_up_to_a_quarter_of_an_hour(olga, clock):
    guess(FREE["account"])

    for minutes in (1, 2, 4, 8, 15, 15):
        clock.advance(minutes=minutes, seconds=-1)
        assert log_in(Client()) == WAITS, minutes
        clock.advance(seconds=2)
        assert guess(2) == [WRONG, WAITS], minutes


@pytest.mark.django_db
def test_a_day_and_night_of_guessing_are_a_hundred_tries(olga, clock):
    began, tried = clock.now, 0
    while clock.now - began < timedelta(days=1):
        answer = post(Client(), "olga", "wrong", f"203.0.113.{tried}")
        tried += answer.status_code == WRONG
        clock.advance(seconds=int(answer.headers.get("Retry-After", 1)))

    # Five at once, four after growing pauses, then one every quarter of an hour.
    assert 100 <= tried <= 104


@pytest.mark.django_db
def test_who_waited_gets_in_from_a_new_browser(olga, clock):
    guess(FREE["account"])
    clock.advance(minutes=1, seconds=1)

    assert log_in(Client()) == IN


@pytest.mark.django_db
def test_after_a_quiet_day_all_is_forgotten(olga, clock):
    guess(FREE["account"] + 1)
    clock.advance(days=1, seconds=1)

    assert guess(FREE["account"] + 1) == [WRONG] * FREE["account"] + [WAITS]


@pytest.mark.django_db
def test_a_password_that_is_right_counts_for_nobody(olga, clock):
    for _login in range(2 * FREE["address"]):
        assert log_in(Client()) == IN

    assert guess(FREE["account"]) == [WRONG] * FREE["account"]


@pytest.mark.parametrize("spelled", ["OLGA", "Olga", " olga", "olga "])
@pytest.mark.django_db
def test_another_spelling_of_the_name_is_the_same_account(olga, clock, spelled):
    assert log_in(Client(), spelled) == IN
    guess(FREE["account"], spelled)

    assert log_in(Client(), "olga") == WAITS


@pytest.mark.django_db
def test_of_two_names_that_differ_in_capitals_each_is_itself(olga):
    User.objects.create_superuser("Olga", password="another-long-password")

    capital = Client()
    assert log_in(capital, "Olga", "another-long-password") == IN
    assert log_in(Client(), "olga") == IN
    assert log_in(Client(), "OLGA") == WRONG
    guess(FREE["account"])
    assert log_in(capital, "Olga", "another-long-password") == IN


@pytest.mark.django_db(transaction=True)
def test_tries_at_once_are_counted_one_by_one(olga):
    def one(address: str) -> int:
        try:
            return log_in(Client(), password="wrong", address=address)
        finally:
            connection.close()

    there = addresses()
    with ThreadPoolExecutor(8) as crowd:
        found = list(crowd.map(one, [next(there) for _try in range(16)]))

    assert found.count(WRONG) == FREE["account"]
    assert found.count(WAITS) == 16 - FREE["account"]


# Those who are of staff


@pytest.mark.django_db
def test_strangers_cannot_shut_staff_out(known, clock):
    for _minute in range(20):
        guess(2)
        clock.advance(minutes=1)
    assert log_in(Client()) == WAITS

    assert log_in(known) == IN


@pytest.mark.django_db
def test_ten_wrong_passwords_of_a_colleague_shut_out_nobody(known, clock):
    User.objects.create_superuser("mark", password=RIGHT)
    colleague = Client()
    assert log_in(colleague, "mark") == IN

    assert [log_in(colleague, "mark", "forgotten") for _try in range(10)] == [WRONG] * 10

    assert log_in(known) == IN
    assert log_in(Client(), "olga") == IN  # a new browser in the same office
    assert log_in(Client(), "mark") == IN


@pytest.mark.django_db
def test_the_same_in_a_new_browser_makes_that_account_wait_and_no_other(known, clock):
    User.objects.create_superuser("mark", password=RIGHT)
    new = Client()
    codes = [log_in(new, "mark", "forgotten") for _try in range(10)]

    assert codes == [WRONG] * FREE["account"] + [WAITS] * 5
    assert log_in(known) == IN
    assert log_in(Client(), "olga") == IN


@pytest.mark.django_db
def test_a_copied_cookie_opens_no_unlimited_guessing(known, clock):
    thief = Client()
    thief.cookies[COOKIE] = known.cookies[COOKIE].value
    codes = [log_in(thief, password="wrong", address="192.0.2.9") for _try in range(30)]

    assert codes == [WRONG] * (10 + 5) + [WAITS] * 15
    # Its owner has used the strangers' tries up with it, and waits for a minute, not for ever.
    assert log_in(known) == WAITS
    clock.advance(minutes=1, seconds=1)
    assert log_in(known) == IN
    # From now on the copy has a count apart.
    clock.advance(minutes=15)
    while log_in(thief, password="wrong", address="192.0.2.9") == WRONG:
        pass
    assert log_in(known) == IN


@pytest.mark.django_db
def test_another_password_makes_every_browser_unknown_but_the_one_it_was_changed_in(known, clock):
    other = Client()
    assert log_in(other) == IN
    new = "quite-another-password"
    form = {"old_password": RIGHT, "new_password1": new, "new_password2": new}
    assert other.post("/admin/password_change/", form).status_code == 302
    other.post("/admin/logout/")
    guess(FREE["account"])

    assert log_in(known, password=new) == WAITS
    assert log_in(other, password=new) == IN


@pytest.mark.django_db
def test_a_password_set_for_a_colleague_does_not_make_ones_own_browser_known_to_him(olga, clock):
    mark = User.objects.create_superuser("mark", password=RIGHT)
    boss, new = Client(), "quite-another-password"
    assert log_in(boss) == IN
    form = {"password1": new, "password2": new, "usable_password": "true"}
    assert boss.post(f"/admin/auth/user/{mark.pk}/password/", form).status_code == 302
    boss.post("/admin/logout/")
    guess(FREE["account"], "mark")

    assert log_in(boss, "mark", new) == WAITS
    assert log_in(boss) == IN


@pytest.mark.django_db
def test_a_session_from_before_there_were_known_browsers_makes_one(olga, clock):
    client = Client()
    assert COOKIE not in client.get(LOGIN).cookies
    client.force_login(olga)

    assert COOKIE in client.get("/admin/").cookies
    assert COOKIE not in client.get("/admin/").cookies  # once
    client.post("/admin/logout/")
    guess(FREE["account"])
    assert log_in(client) == IN


@pytest.mark.django_db
def test_a_browser_is_known_for_those_who_logged_in_there(olga, clock):
    names = ["olga", *(f"colleague{n}" for n in range(MOST - 1))]
    for name in names[1:]:
        User.objects.create_superuser(name, password=RIGHT)
    shared = Client()
    for name in names:
        assert log_in(shared, name) == IN
        shared.post("/admin/logout/")
    User.objects.create_superuser("absent", password=RIGHT)
    for name in (*names, "absent"):
        guess(FREE["account"], name)

    assert [log_in(shared, name) for name in names] == [IN] * MOST
    assert log_in(shared, "absent") == WAITS
    User.objects.create_superuser("newcomer", password=RIGHT)
    assert log_in(shared, "newcomer") == IN
    assert log_in(shared, names[0]) == WAITS  # whose login is the longest ago
    assert len(shared.cookies[COOKIE].value) < 1000


@pytest.mark.django_db
def test_a_colleague_gains_no_tries_by_logging_in_on_a_shared_computer(known, clock):
    User.objects.create_superuser("mark", password=RIGHT)
    wrong = 0
    for _round in range(10):
        wrong += [log_in(known, password="wrong") for _try in range(5)].count(WRONG)
        assert log_in(known, "mark") == IN
        known.post("/admin/logout/")

    assert wrong == FREE["browser"] + FREE["account"]


@pytest.mark.parametrize("cookie", ["", "x", "x" * 100_000, "eyJhIjoxfQ:1abc:x"])
@pytest.mark.django_db
def test_a_cookie_that_is_not_ours_makes_no_browser_known(olga, clock, cookie):
    guess(FREE["account"])
    stranger = Client()
    stranger.cookies[COOKIE] = cookie

    assert log_in(stranger) == WAITS


@pytest.mark.django_db
def test_a_browser_that_was_not_used_for_half_a_year_is_unknown(known, monkeypatch):
    later = time.time() + timedelta(days=181).total_seconds()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    guess(FREE["account"])

    assert log_in(known) == WAITS


def test_a_cookie_longer_than_ours_is_not_looked_at(monkeypatch):
    monkeypatch.setattr("django.core.signing.loads", Mock(side_effect=AssertionError))
    request = RequestFactory().get(LOGIN)
    request.COOKIES[COOKIE] = "x" * (LONGEST + 1)

    assert not is_known(request)


@pytest.mark.django_db
def test_behind_https_the_cookie_is_secure(olga, settings):
    settings.SESSION_COOKIE_SECURE = True

    assert post(Client(), "olga", RIGHT).cookies[COOKIE]["secure"]


# Many accounts


@pytest.mark.django_db
def test_one_address_tries_no_more_accounts_than_its_share(known, clock):
    sprayed = [log_in(Client(), f"name{n}", "Spring2026") for n in range(33)]

    assert sprayed == [WRONG] * 30 + [WAITS] * 3
    assert log_in(known) == IN  # from that very address
    assert log_in(Client(), address="192.0.2.1") == IN


@pytest.mark.django_db
def test_names_and_addresses_make_rows_of_a_bounded_kind_that_are_gone_in_a_day(olga, clock):
    guess(3)
    guess(3, "+79001234567")
    keys = [counter.key for counter in LoginCounter.objects.all()]
    assert all(re.fullmatch(r"(account|address):[0-9a-f]{5}", key) for key in keys)

    clock.advance(days=1, seconds=1)
    call_command("anonymise_bookings", verbosity=0)

    assert not LoginCounter.objects.exists()


@pytest.mark.django_db
def test_without_an_address_tries_are_counted_all_the_same(olga, clock, settings):
    settings.TRUSTED_PROXIES = 0
    form = {"username": "olga", "password": "wrong"}

    codes = [Client().post(LOGIN, form, REMOTE_ADDR="").status_code for _try in range(7)]

    assert codes == [WRONG] * FREE["account"] + [WAITS] * 2


# What one learns


class CountedHasher(MD5PasswordHasher):
    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountedHasher.count += 1
        encoded: str = super().encode(password, salt)
        return encoded


@pytest.fixture
def hashes(settings: Any) -> type[CountedHasher]:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    CountedHasher.count = 0
    return CountedHasher


def answer(name: str, password: str) -> tuple[int, str]:
    page = post(Client(), name, password, next(addresses()))
    text = re.sub(r'value="\w{64}"', "", text_of(page)).replace(escape(name), "<name>")
    return page.status_code, text


@pytest.mark.django_db
def test_a_name_that_nobody_has_is_answered_like_a_wrong_password(hashes):
    User.objects.create_user("buyer", password=RIGHT)
    User.objects.create_superuser("gone", password=RIGHT, is_active=False)
    User.objects.create_superuser("olga", password=RIGHT)
    hashes.count = 0

    answers = {answer("nobody", "wrong"), answer("olga", "wrong")}
    answers |= {answer("buyer", RIGHT), answer("gone", RIGHT)}

    assert len(answers) == 1
    assert hashes.count == 4  # each took as long as the others


@pytest.mark.parametrize("name", ["olga", "nobody", "buyer"])
@pytest.mark.django_db
def test_whoever_has_to_wait_costs_no_hash_and_learns_nothing(olga, clock, hashes, name):
    User.objects.create_user("buyer", password=RIGHT)
    codes = [log_in(Client(), name, RIGHT if name == "buyer" else "x") for _try in range(5)]
    assert codes == [WRONG] * 5
    hashes.count = 0

    with CaptureQueriesContext(connection) as queries:
        page = post(Client(), name, RIGHT)

    assert page.status_code == WAITS
    assert hashes.count == 0
    # Nothing was locked or written, so the journal did not have to wait.
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


@pytest.mark.django_db
def test_who_has_to_wait_reads_until_when(olga, clock):
    guess(FREE["account"])

    page = post(Client(), "olga", RIGHT)

    told = timezone.localtime(clock.now + timedelta(minutes=2))
    assert f"снова после {told:%H:%M}" in text_of(page)
    assert "в котором вы уже входили" in text_of(page)
    assert page.headers["Retry-After"] == "60"
    assert 'value="olga"' in text_of(page)


@pytest.mark.django_db
def test_who_waited_until_then_is_served(olga, clock):
    guess(FREE["account"])
    clock.advance(seconds=int(post(Client(), "olga", RIGHT).headers["Retry-After"]))

    assert log_in(Client()) == IN


@pytest.mark.parametrize(("name", "password"), [("o" * 151, "x"), ("olga", "x" * 1001)])
@pytest.mark.django_db
def test_what_is_longer_than_any_name_or_password_is_not_looked_at(olga, hashes, name, password):
    hashes.count = 0

    assert log_in(Client(), name, password) == WRONG
    assert hashes.count == 0
    assert not LoginCounter.objects.exists()


@pytest.mark.django_db
def test_logins_are_counted_by_what_came_of_them(olga, clock):
    def counted() -> dict[str, float]:
        figure = "handover_staff_logins_total"
        results = ("right", "wrong", "must_wait")
        return {it: REGISTRY.get_sample_value(figure, {"result": it}) or 0 for it in results}

    before = counted()
    log_in(Client())
    guess(7)

    grown = {result: count - before[result] for result, count in counted().items()}
    assert grown == {"right": 1, "wrong": 5, "must_wait": 2}
