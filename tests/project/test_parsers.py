"""The parsers of variables."""

import sys

import pytest

from config import environment as env
from tests.variables import ROOT

PYTHON = [sys.executable, "-W", "error"]
MANAGE = [*PYTHON, "manage.py"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
GUNICORN = [sys.executable, "-m", "gunicorn", "config.wsgi"]


# Parsers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("https://api.macrocrm.ru/", "https://api.macrocrm.ru"),
        ("https://crm.example:8443", "https://crm.example:8443"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_addresses_the_crm_may_have(text, value):
    assert env.base_url(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "http://api.macrocrm.ru",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://10.0.0.1",
        "api.macrocrm.ru",
        "//api.macrocrm.ru",
        "ftp://127.0.0.1",
        "https://",
        "https://user:pass@crm.example",
        "https://crm.example/estate",
        "https://crm.example?x=1",
        "https://crm.example:port",
        "https://[::1",
    ],
)
def test_addresses_the_crm_may_not_have(text):
    with pytest.raises(ValueError, match="must be an https:// address"):
        env.base_url(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (env.origins, "https://a.example,http://b.example:8000"),
        (env.webhook_url, "https://hooks.example/x?token=1"),
        (env.webhook_url, "http://127.0.0.1:9/x"),
        (env.web_url, "https://developer.example/privacy?lang=ru#phone"),
        (env.web_url, "http://застройщик.рф"),
        (env.report_address, "https://0a1b@sentry.example:9000/prefix/42"),
        (env.email, "smtp+tls://user:p%40ss@mail.example:587"),
        (env.email, "smtp://mail.example"),
    ],
)
def test_addresses_that_are_taken(parse, text):
    assert parse(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (env.origins, "https://a.example,b.example"),
        (env.origins, "https://a.example/"),
        (env.origins, "https://user@a.example"),
        (env.webhook_url, "http://hooks.example/x"),
        (env.webhook_url, "https://user@hooks.example/x"),
        (env.webhook_url, "https://hooks.example/крючок"),
        (env.webhook_url, "https://hooks.example/x#y"),
        (env.web_url, "developer.example"),
        (env.web_url, "https://user@developer.example"),
        (env.web_url, "https://developer.example/a b"),
        (env.report_address, "https://sentry.example/42"),
        (env.report_address, "https://0a1b@sentry.example"),
        (env.email, "smtp://"),
        (env.email, "smtp://mail.example:port"),
        (env.email, "consolemail://"),
    ],
)
def test_addresses_that_are_not_taken(parse, text):
    with pytest.raises(ValueError, match="must be"):
        parse(text)


@pytest.mark.parametrize("text", ["застройщик.рф", "xn--80aesdbprge8be.xn--p1ai", "example.com"])
def test_domains_are_taken_as_they_are_spelled(text):
    assert env.crm_domain(text) == text


@pytest.mark.parametrize(
    "text",
    ["sqlite://:memory:", "sqlite://", "sqlite://db.sqlite3", "postgres://host", "pg://x/y", "x"],
)
def test_databases_that_would_lose_the_journal_or_fail_later(text):
    with pytest.raises(ValueError, match="must be an address such as postgres://"):
        env.database(text)


@pytest.mark.parametrize("text", ["true", "True", "yes", "on", "1"])
def test_words_for_true(text):
    assert env.boolean(text) is True


@pytest.mark.parametrize("text", ["false", "False", "no", "off", "0"])
def test_words_for_false(text):
    assert env.boolean(text) is False


@pytest.mark.parametrize("text", ["inf", "nan", "-1", "0", "1e9", "ten", ""])
def test_seconds_that_make_no_sense(text):
    with pytest.raises(ValueError, match=r"must be a number of seconds from 0\.1 to 30"):
        env.seconds(0.1, 30)(text)


@pytest.mark.parametrize("text", ["+7 (800) 000-00-00", "112", "8 800 000 00 00"])
def test_phones_of_support(text):
    assert env.phone(text) == text


def test_choices_keep_their_order_and_lose_repetitions():
    assert env.some_of(("flat", "garage"))("garage, flat,garage") == ["garage", "flat"]


def test_stopping_needs_a_problem():
    env.stop_on([])

    with pytest.raises(SystemExit, match=r"^Cannot start: A\b.*\nCannot start: B too\.$"):
        env.stop_on(["A is not set.", "B too."])
