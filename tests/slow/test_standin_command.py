"""`manage.py standin` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from standin import StandIn
from tests.standin_caller import Caller, next_start, wish
from tests.variables import ROOT

Run = Callable[..., "subprocess.Popen[str]"]
STANDIN_SETTINGS = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}


@pytest.fixture
def run() -> Iterator[Run]:
    """Start the command; whatever is left of it at the end is killed."""
    with ExitStack() as processes:

        def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "standin", "--port", "0", *arguments],
                cwd=ROOT,
                env=os.environ | STANDIN_SETTINGS | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield start


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().split()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(run, number):
    process = run()
    url = address(process)

    assert requests.get(f"{url}/_stand-in/switches", timeout=5).json()["busy"] == 0.3
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")
    assert output.endswith("Stand-in CRM stopped.\n")


def test_it_starts_before_the_site_is_configured(run):
    process = run(SECRET_KEY="", MACROCRM_DOMAIN="", MACROCRM_APP_SECRET="", ALLOWED_HOSTS="")

    assert requests.get(address(process), timeout=5).headers["X-Stand-In"] == "macrocrm"


def test_its_arguments_become_switches(run):
    process = run("--latency", "0.001", "--switch", "busy=0", "--switch", "refusals=yii")

    switches = requests.get(f"{address(process)}/_stand-in/switches", timeout=5).json()

    assert (switches["busy"], switches["refusals"]) == (0, "yii")
    assert switches["latency"]["add"] == 0.001


# As a stand-in in the process of a test is by default.
ALL_FREE = ("--switch", "busy=0", "--switch", "closed_weekdays=[]")


def test_a_booking_outlives_a_kill(run, tmp_path):
    path = tmp_path / "ledger.jsonl"
    process = run("--ledger", str(path), "--domain", "d.test", "--secret", "s", *ALL_FREE)
    crm = StandIn(domain="d.test", secret="s")  # never started: for its signature and its diary
    form = Caller(crm).signed(**wish(next_start(crm)))
    reply = requests.post(f"{address(process)}/estate/transfer/add/", data=form, timeout=5)
    assert reply.json()["status_code"] == 200

    process.kill()

    assert json.loads(path.read_text())["transfer_date"] == form["transfer_date"][:16]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 is not a loopback address"),
        (["--switch", "busy=9"], "busy takes a number from 0 to 1"),
        (["--switch", "busy"], "a switch is written NAME=VALUE"),
        (["--zone", "Mars/Olympus"], "No time zone found"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(run, arguments, sentence):
    process = run(*arguments)
    _, errors = process.communicate(timeout=10)

    assert process.returncode != 0
    assert sentence in errors
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_named(run):
    with StandIn() as crm:
        port = crm.url.rpartition(":")[2]
        process = run("--port", port)
        _, errors = process.communicate(timeout=10)

    assert process.returncode == 1
    assert f"port {port} is taken, choose another with --port" in errors


def test_an_estate_for_measuring_can_be_asked_for(run):
    process = run("--houses", "2", "--flats", "3", "--domain", "d.test", "--secret", "s")
    url = f"{address(process)}/estate/transfer/getReadyFlats/"
    form = Caller(StandIn(domain="d.test", secret="s")).signed(category="garage")

    houses = requests.post(url, data=form, timeout=5).json()["data"]["houses"]

    assert [len(house["flats"]) for house in houses] == [3, 3]
