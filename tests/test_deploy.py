"""The files that bring the site up beside its services. No engine runs here: they are read."""

from __future__ import annotations

import re
import shutil

import pytest
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


def test_compose_hands_over_only_secrets_that_are_made():
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    script = (ROOT / "deploy" / "make-secrets").read_text("utf-8")
    wanted = set(re.findall(r"file: deploy/secrets/(\w+)", compose))

    assert wanted == set(re.findall(r"^ *keep (\w+)", script, re.M))


def test_secrets_are_made_once_and_kept(tmp_path):
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets"))
    make = ["printf 'canary\\n' | deploy/make-secrets", "cat deploy/secrets/*"]

    first = run(make, tmp_path)
    again = run(["deploy/make-secrets </dev/null", "cat deploy/secrets/*"], tmp_path)

    assert first == again
    assert "canary" in first
    assert (tmp_path / "deploy" / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_stop_is_given_the_time_that_the_site_may_take():
    compose = (ROOT / "compose.yaml").read_text("utf-8")
    conf = (ROOT / "gunicorn.conf.py").read_text("utf-8")
    (graceful,) = re.findall(r"^graceful_timeout = (\d+)", conf, re.M)

    assert re.findall(r"stop_grace_period: (\d+)s", compose)[0] == str(int(graceful) + 5)
