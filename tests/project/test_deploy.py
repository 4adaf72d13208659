"""The files that bring the site up beside its services. No engine runs here: they are read."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import reverse

from tests.shell import run
from tests.variables import ROOT

# The proxy

CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")


def setting(name: str) -> str:
    (value,) = re.findall(rf"^\s*{re.escape(name)} (\S+)$", CADDYFILE, re.M)
    return str(value)


def test_the_proxy_takes_all_of_a_form_before_it_troubles_a_site():
    assert setting("request_buffers") == setting("max_size")


def test_the_proxy_waits_until_it_knows_which_site_is_alive():
    waits, looks = (
        int(setting(name).removesuffix("s")) for name in ("lb_try_duration", "health_interval")
    )

    assert waits > looks
    assert setting("health_uri") == reverse("booking:alive")


@pytest.mark.parametrize("field", ["request>uri", "request>headers", "resp_headers"])
def test_the_proxy_logs_no_addresses(field):
    assert setting(field) == "delete"


def test_the_errors_of_the_proxy_are_a_page_in_words_that_needs_nothing_else():
    page = (ROOT / "deploy" / "pages" / setting("rewrite *").lstrip("/")).read_text("utf-8")

    assert '<html lang="ru">' in page
    assert "запись от этого не повторится" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)


# compose.yaml


COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_compose_hands_over_only_secrets_that_are_made():
    script = (ROOT / "deploy" / "make-secrets").read_text("utf-8")
    wanted = {secret["file"] for secret in COMPOSE["secrets"].values()}
    handed_over = {name for service in SERVICES.values() for name in service.get("secrets", [])}

    assert handed_over == COMPOSE["secrets"].keys()
    assert {file.removeprefix("deploy/secrets/") for file in wanted} == set(
        re.findall(r"^ *keep (\w+)", script, re.M)
    )


@pytest.fixture
def make_secrets(tmp_path: Path) -> Path:
    """The script, in a place where nothing is made yet."""
    (tmp_path / "deploy").mkdir()
    return Path(shutil.copy(ROOT / "deploy" / "make-secrets", tmp_path / "deploy"))


def made(script: Path, given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script], input=given, capture_output=True, text=True, check=False)


def kept(script: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (script.parent / "secrets").iterdir()}


@pytest.mark.parametrize("given", ["canary\n", "canary", " canary \n", "canary\nmore\n"])
def test_secrets_are_made_once_and_kept(make_secrets, given):
    assert made(make_secrets, given).returncode == 0
    first = kept(make_secrets)
    assert made(make_secrets, "").returncode == 0

    assert kept(make_secrets) == first
    assert first["macrocrm_app_secret"] == "canary\n"
    assert (make_secrets.parent / "secrets").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("given", ["", "\n", "  \n"])
def test_no_secret_is_no_secret(make_secrets, given):
    done = made(make_secrets, given)

    assert done.returncode == 1
    assert "No secret was given" in done.stderr
    assert "macrocrm_app_secret" not in kept(make_secrets)


def test_a_secret_that_is_typed_is_not_shown(make_secrets):
    ours, its = pty.openpty()
    with subprocess.Popen([make_secrets], stdin=its, stdout=its, stderr=its) as script:
        os.close(its)
        shown = os.read(ours, 1024)
        os.write(ours, b"canary\n")
        assert script.wait(timeout=30) == 0
    shown += os.read(ours, 1024)
    os.close(ours)

    assert shown.endswith(b": \r\n")
    assert kept(make_secrets)["macrocrm_app_secret"] == "canary\n"


def seconds(service: str) -> int:
    return int(SERVICES[service]["stop_grace_period"].removesuffix("s"))


def test_a_stop_is_given_the_time_that_the_site_may_take():
    conf = (ROOT / "gunicorn.conf.py").read_text("utf-8")
    (graceful,) = re.findall(r"^graceful_timeout = (\d+)", conf, re.M)

    assert seconds("site1") == seconds("site2") == int(graceful) + 5
    assert seconds("proxy") >= seconds("site1") + 5


def test_the_proxy_reaches_the_sites_alone():
    reached = {
        name
        for name, service in SERVICES.items()
        if {*service["networks"]} & {*SERVICES["proxy"]["networks"]}
    }

    assert "postgres" not in reached
    assert {"site1", "site2"} <= reached
    assert {*COMPOSE["networks"]} == {*SERVICES["site1"]["networks"]}


def test_the_chores_go_on_after_a_failure_and_clean_up_once_a_day(tmp_path):
    shell, option, script = SERVICES["chores"]["command"]
    # Four rounds, of which the first fails.
    stubs = {
        "sleep": "echo >>rounds; [ $(wc -l <rounds) -le 4 ]",
        "python": 'echo "$2"; [ $(wc -l <rounds) -gt 1 ]',
    }
    for name, body in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    done = run(
        [f'PATH=.:$PATH {shell} {option} "$CHORES"'], tmp_path, CHORES=script.replace("$$", "$")
    )

    often = ["settle_bookings", "send_notices"]
    assert done.split() == 2 * [*often, "anonymise_bookings"] + 2 * often


# The image


def test_the_image_is_tried_as_the_readme_runs_it():
    readme = (ROOT / "README.md").read_text("utf-8")
    (command,) = re.findall(r"docker run -d .*\n(.+) key-handover\n", readme)
    tried = " ".join((ROOT / "scripts" / "image_test.sh").read_text("utf-8").split())

    for option in re.findall(r"--\S+(?: [^-]\S*)?", command):
        assert option in tried
