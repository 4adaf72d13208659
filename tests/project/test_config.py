"""A wrong environment stops the start with one sentence; a right one becomes the right settings."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import environ
import pytest

from config import environment as env
from config.environment import Environment
from tests import variables
from tests.variables import ROOT

PYTHON = [sys.executable, "-W", "error"]
MANAGE = [*PYTHON, "manage.py"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
GUNICORN = [sys.executable, "-m", "gunicorn", "config.wsgi"]


def surroundings(**changes: str) -> dict[str, str]:
    """An environment for a process of its own, with the real settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | variables.environment(**changes)


def run(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=surroundings(**changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings_with(*names: str, **changes: str) -> dict[str, Any]:
    """Settings as a fresh process reads them, by way of JSON."""
    code = (
        "import json; from config import settings;"
        f"print(json.dumps({{n: getattr(settings, n, None) for n in {names!r}}}, default=str))"
    )
    done = run(*PYTHON, "-c", code, **changes)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def problems_with(**changes: str) -> list[str]:
    found = settings_with("CONFIGURATION_PROBLEMS", **changes)["CONFIGURATION_PROBLEMS"]
    assert isinstance(found, list)
    return found


# Starting with a wrong environment


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([*MANAGE, "check"], id="check"),
        pytest.param([*MANAGE, "migrate", "--plan"], id="migrate"),
        pytest.param([*MANAGE, "runserver", "127.0.0.1:1"], id="runserver"),
        pytest.param([*MANAGE, "runserver", "--noreload", "127.0.0.1:1"], id="without reloader"),
        pytest.param([*GUNICORN, "--bind", "127.0.0.1:0"], id="gunicorn"),
    ],
)
def test_every_start_stops_with_a_sentence(command):
    done = run(*command, MACROCRM_APP_SECRET="", TIME_ZONE="Mars/Olympus")

    assert done.returncode != 0
    assert "MACROCRM_APP_SECRET is not set." in done.stderr
    assert "TIME_ZONE must name an IANA time zone, for example Asia/Yekaterinburg." in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Olympus" not in done.stdout + done.stderr


WRONG = {
    "ACCENT_COLOR": "wrong",
    "ADMIN_PATH": "wrong?",
    "ALLOWED_HOSTS": "*",
    "BOOKING_CATEGORIES": "flat,wrong",
    "BOOKING_HORIZON_DAYS": "-1",
    "BOOKING_MIN_NOTICE_HOURS": "two-wrong",
    "BOOKING_GRID_MINUTES": "0",
    "ACCESSIBILITY_DATE": "wrong",
    "BOOKING_LIST_NUMBERS": "perhaps",
    "BOOKING_VISIT_SLOTS": "0",
    "CSRF_TRUSTED_ORIGINS": "wrong.example",
    "DATABASE_URL": "mysql://wrong/x",
    "DEBUG": "wrong",
    "EMAIL_URL": "wrong://example",
    "LIMIT_FLATS_OF_PHONE": "0",
    "LIMIT_PAIRS_OF_CLIENT": "wrong",
    "LIMIT_PHONES_OF_CLIENT": "-6",
    "LIMIT_PHONES_OF_FLAT": "1.5",
    "LIMIT_PRESSES_OF_CLIENT": "0",
    "LIMIT_FIND_PER_CLIENT": "0",
    "LIMIT_REQUESTS_OF_CLIENT": "0",
    "LIMIT_FIND_PER_PHONE": "many",
    "LIMIT_WINDOW_MINUTES": "wrong",
    "PLACES_PER_CLIENT": "21",
    "LOGO_FILE": "wrong.txt",
    "LOG_FORMAT": "wrong",
    "MACROCRM_ADDS_AT_ONCE": "0",
    "MACROCRM_ADDS_PER_MINUTE": "wrong",
    "MACROCRM_CALLS_PER_MINUTE": "0",
    "MACROCRM_ADD_MOVES": "perhaps",
    "MACROCRM_CONCURRENCY": "1.5",
    "MACROCRM_CONNECT_TIMEOUT": "nan",
    "MACROCRM_DOMAIN": "https://wrong.example/",
    "MACROCRM_METHOD": "wrong",
    "MACROCRM_READ_TIMEOUT": "0",
    "MACROCRM_URL": "http://wrong.example",
    "METRICS_PATH": "../wrong",
    "NOTICE_EMAILS": "desk@example.com,wrong",
    "NOTICE_FROM": "Desk <wrong@example.com>",
    "NOTICE_WEBHOOK_SECRET": "wrong",
    "NOTICE_WEBHOOK_URL": "http://wrong.example/",
    "PHONE_REGION": "wrong",
    "PRIVACY_POLICY_URL": "javascript:wrong",
    "RETENTION_DAYS": "9" * 5000,
    "SECRET_KEY": "wrong",
    "SECURE_SSL_REDIRECT": "wrong",
    "SENTRY_DSN": "https://wrong.example",
    "SITE_URL": "wrong.example",
    "SUPPORT_PHONE": "wrong",
    "TIME_ZONE": "../../etc/wrong",
    "TRUSTED_PROXIES": "wrong",
}
# Any text may be these.
NEVER_WRONG = {"MACROCRM_APP_SECRET", "SITE_NAME"}


def test_each_wrong_value_has_its_sentence_and_none_is_repeated():
    done = run(*MANAGE, "check", **WRONG)

    sentences = re.findall(r"\?: \(booking\.E00\d\) (\w+) must [^\n]+\.\n", done.stderr)
    assert sorted(sentences) == sorted(WRONG)
    assert "wrong" not in done.stderr
    assert "Traceback" not in done.stderr


def test_every_variable_has_been_tried_with_a_wrong_value():
    assert WRONG.keys() | NEVER_WRONG == variables.names()


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "ALLOWED_HOSTS", "MACROCRM_DOMAIN", "MACROCRM_APP_SECRET"]
)
def test_what_has_no_default_must_be_set(name):
    assert problems_with(**{name: "  "}) == [f"{name} is not set."]


@pytest.mark.parametrize(
    ("name", "value", "needed"),
    [
        ("NOTICE_EMAILS", "desk@example.com", ["NOTICE_FROM", "EMAIL_URL"]),
        ("NOTICE_WEBHOOK_URL", "https://hooks.example.com/x", ["NOTICE_WEBHOOK_SECRET"]),
    ],
)
def test_a_channel_of_notices_needs_all_of_its_settings(name, value, needed):
    found = problems_with(**{name: value})

    assert found == [f"{name} needs {other}, which is not set." for other in needed]


def test_a_complete_environment_has_no_problem():
    assert problems_with() == []


def test_the_example_file_is_a_complete_environment():
    example = (ROOT / ".env.example").read_text("utf-8")
    lines = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    lines |= {name: variables.COMPLETE[name] for name in ("SECRET_KEY", "MACROCRM_APP_SECRET")}

    assert problems_with(**lines) == []


def test_a_variable_may_be_handed_over_as_a_file(tmp_path):
    (tmp_path / "zone").write_text("Asia/Omsk\n")

    found = settings_with("TIME_ZONE", TIME_ZONE_FILE=str(tmp_path / "zone"))

    assert found == {"TIME_ZONE": "Asia/Omsk"}


def test_a_variable_itself_wins_over_its_file(tmp_path):
    (tmp_path / "zone").write_text("Asia/Omsk\n")

    found = settings_with(
        "TIME_ZONE", TIME_ZONE="Asia/Tomsk", TIME_ZONE_FILE=str(tmp_path / "zone")
    )

    assert found == {"TIME_ZONE": "Asia/Tomsk"}


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    found = problems_with(MACROCRM_APP_SECRET="", MACROCRM_APP_SECRET_FILE=str(tmp_path / "none"))

    assert found == [
        "MACROCRM_APP_SECRET_FILE must be the path of a readable text file.",
        "MACROCRM_APP_SECRET is not set.",
    ]


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    here = f"{tmp_path}/file/folder"

    found = problems_with(DATABASE_URL=f"sqlite:///{here}/db")

    assert [sentence.split()[0] for sentence in found] == ["DATABASE_URL"]
    assert str(tmp_path) not in "".join(found)


def test_folders_are_made_for_their_owner_alone(tmp_path):
    folder = tmp_path / "new" / "journal"

    assert problems_with(DATABASE_URL=f"sqlite:///{folder}/db") == []
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"ADMIN_PATH": "confirm"}, "ADMIN_PATH"),
        ({"ADMIN_PATH": "bookings/desk"}, "ADMIN_PATH"),
        ({"METRICS_PATH": "static"}, "METRICS_PATH"),
        ({"METRICS_PATH": "healthz/figures"}, "METRICS_PATH"),
        ({"METRICS_PATH": "admin"}, "METRICS_PATH"),
        ({"METRICS_PATH": "admin/figures"}, "METRICS_PATH"),
        ({"ADMIN_PATH": "desk", "METRICS_PATH": "desk/figures"}, "METRICS_PATH"),
    ],
)
def test_a_path_that_another_page_has_is_refused(changes, name):
    done = run(*MANAGE, "check", **changes)

    sentences = re.findall(r"\?: \(booking\.E005\) (\w+) must not [^\n]+\.\n", done.stderr)
    assert sentences == [name]


def test_paths_side_by_side_are_fine():
    done = run(*MANAGE, "check", ADMIN_PATH="desk/admin", METRICS_PATH="desk/figures")

    assert done.returncode == 0, done.stderr


# Starting with a right one


def test_gunicorn_serves_and_stops_when_told():
    port = free_port()
    server = subprocess.Popen(
        [*GUNICORN, "--bind", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env=surroundings(DEBUG="true"),
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            answer = answer_of(f"http://127.0.0.1:{port}/healthz/", server)
        finally:
            server.send_signal(signal.SIGTERM)
        log = server.stderr.read() if server.stderr else ""

    assert answer == 200
    assert server.returncode == 0
    assert "Traceback" not in log
    assert "Control socket" not in log


def test_the_health_check_of_the_image_finds_the_site_alive():
    port = str(free_port())
    alone = {"ALLOWED_HOSTS": "visit.example", "PORT": port, "DEBUG": "true"}
    (command,) = re.findall(r"^HEALTHCHECK .* CMD (.+)$", DOCKERFILE, re.MULTILINE)
    check = [sys.executable, *json.loads(command)[1:]]
    bind = ["--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen([*GUNICORN, *bind], cwd=ROOT, env=surroundings(**alone)) as server:
        try:
            until = time.monotonic() + 30
            while (found := run(*check, **alone)).returncode and time.monotonic() < until:
                assert "Connection refused" in found.stderr
        finally:
            server.terminate()

    assert found.returncode == 0, found.stderr
    assert run(*check, **alone).returncode != 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answer_of(url: str, server: subprocess.Popen[str]) -> int:
    """The status of a page, as soon as the server listens."""
    give_up = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < give_up:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return int(response.status)
        except urllib.error.URLError:
            time.sleep(0.05)
    return 0


def test_gunicorn_refuses_to_serve_without_collected_static_files(tmp_path):
    code = (
        "from config import settings; settings.STATIC_ROOT = settings.BASE_DIR / 'var/none';"
        "import config.wsgi"
    )

    done = run(*PYTHON, "-c", code)

    assert done.returncode == 1
    assert done.stderr == (
        "Cannot start: The static files have not been collected: run manage.py collectstatic.\n"
    )


def test_cookies_and_headers_insist_on_https_by_default():
    found = settings_with(
        "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"
    )

    assert all(found.values())


@pytest.mark.parametrize(
    ("changes", "secure"),
    [
        pytest.param({"SECURE_SSL_REDIRECT": "false"}, False, id="plain http on this machine"),
        pytest.param({"DEBUG": "true"}, False, id="development"),
        pytest.param(
            {"SECURE_SSL_REDIRECT": "false", "TRUSTED_PROXIES": "1"}, True, id="a proxy redirects"
        ),
    ],
)
def test_cookies_follow_https(changes, secure):
    found = settings_with("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", **changes)

    assert set(found.values()) == {secure}


def test_the_proxy_is_believed_only_if_there_is_one():
    name = "SECURE_PROXY_SSL_HEADER"

    assert settings_with(name)[name] is None
    assert settings_with(name, TRUSTED_PROXIES="2")[name] == ["HTTP_X_FORWARDED_PROTO", "https"]


def test_a_relative_database_is_the_same_file_from_every_folder():
    found = settings_with("DATABASES", DATABASE_URL="sqlite:///var/other.sqlite3")

    assert found["DATABASES"]["default"]["NAME"] == str(ROOT / "var" / "other.sqlite3")


def test_postgresql_has_a_pool_and_keeps_its_options():
    found = settings_with(
        "DATABASES", DATABASE_URL="postgres://u:p%40ss@db.example:5433/keys?sslmode=require"
    )

    database = found["DATABASES"]["default"]
    assert database["ENGINE"] == "booking.database.postgresql"
    assert (database["PASSWORD"], database["HOST"], database["PORT"]) == (
        "p@ss",
        "db.example",
        5433,
    )
    assert database["OPTIONS"] == {
        "sslmode": "require",
        "connect_timeout": 2,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 10_000,
        "pool": {"min_size": 1, "max_size": 10, "timeout": 1.5, "reconnect_timeout": 2},
    }
    assert database["ATOMIC_REQUESTS"] is False


def test_the_address_of_a_database_has_the_last_word():
    address = "postgres://u@db.example/keys?connect_timeout=9&keepalives_idle=60"
    found = settings_with("DATABASES", DATABASE_URL=address)

    options = found["DATABASES"]["default"]["OPTIONS"]
    assert (options["connect_timeout"], options["keepalives_idle"]) == (9, 60)
    assert options["tcp_user_timeout"] == 10_000


def test_the_cache_of_sqlite_is_a_file_beside_the_journal():
    found = settings_with("DATABASES", DATABASE_URL="sqlite:////srv/site/journal.sqlite3")

    assert found["DATABASES"]["cache"]["NAME"] == "/srv/site/journal.cache.sqlite3"


# The .env file


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Reads a text as .env; what it adds to the process is taken back afterwards."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(environ.Env, "ENVIRON", os.environ)

    def read(text: str | bytes) -> Environment:
        path = tmp_path / ".env"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Environment(path)

    return read


def test_a_missing_file_is_nothing_to_speak_of(tmp_path, caplog):
    found = Environment(tmp_path / ".env")

    assert found.problems == []
    assert caplog.records == []


def test_the_process_wins_over_the_file(env_file, monkeypatch):
    monkeypatch.setitem(os.environ, "KH_BOTH", "process")

    found = env_file("KH_BOTH=file\nKH_FILE='file #1'\n# a comment\n\nexport KH_THIRD=x\n")

    assert found.problems == []
    assert found.required("KH_BOTH", str, "") == "process"
    assert found.required("KH_FILE", str, "") == "file #1"
    assert found.required("KH_THIRD", str, "") == "x"


def test_a_value_with_a_dollar_is_not_another_variable(env_file):
    found = env_file("KH_SECRET=$KH_SECRET\n")

    assert found.required("KH_SECRET", str, "") == "$KH_SECRET"


def test_a_line_that_is_no_assignment_is_named_but_not_shown(env_file, caplog, capfd):
    found = env_file("KH_ONE=1\nKH_SECRET = hush\n")

    assert found.problems == [".env, line 2, is not NAME=value."]
    assert "hush" not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("content", "count"),
    [
        pytest.param(b"\xef\xbb\xbfKH_MARKED=1\r\n", 0, id="as Windows saves it"),
        pytest.param("KH_NAME=Ключи".encode("cp1251"), 1, id="not UTF-8"),
    ],
)
def test_the_file_of_an_editor_of_another_kind(env_file, content, count):
    assert len(env_file(content).problems) == count


def test_a_folder_in_the_place_of_the_file_is_a_problem(tmp_path):
    (tmp_path / ".env").mkdir()

    assert len(Environment(tmp_path / ".env").problems) == 1


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
