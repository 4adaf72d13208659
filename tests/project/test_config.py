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

import pytest

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
