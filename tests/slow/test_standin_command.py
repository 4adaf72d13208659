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
from standin.fixtures import of_size
from tests.standin.caller import Caller, next_start, visit
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
def test_it_serves_as_its_arguments_say_until_it_is_told_to_stop(run, number):
    process = run("--latency", "0.001", "--switch", "busy=0", "--switch", "refusals=yii")

    switches = requests.get(f"{address(process)}/_stand-in/switches", timeout=5).json()
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)

    assert (switches["busy"], switches["refusals"]) == (0, "yii")
    assert switches["latency"]["add"] == 0.001
    assert (process.returncode, errors) == (0, "")
    assert output.endswith("Stand-in CRM stopped.\n")


def test_it_starts_before_the_site_is_configured(run):
    process = run(SECRET_KEY="", MACROCRM_DOMAIN="", MACROCRM_APP_SECRET="", ALLOWED_HOSTS="")

    assert requests.get(address(process), timeout=5).headers["X-Stand-In"] == "macrocrm"


def test_a_booking_outlives_a_kill(run, tmp_path):
    path = tmp_path / "ledger.jsonl"
    size = ("--houses", "1", "--flats", "3", "--switch", "busy=0", "--switch", "closed_weekdays=[]")
    process = run("--ledger", str(path), "--domain", "d.test", "--secret", "s", *size)
    # Never started: for its signature and its schedule.
    crm = StandIn(domain="d.test", secret="s", houses=of_size(houses=1, flats=3))
    place = {"house_id": "4000001", "flat_num": "1-1-1", "category": "flat"}
    form = Caller(crm).signed(**visit(next_start(crm, "4000001"), **place))
    reply = requests.post(f"{address(process)}/estate/transfer/add/", data=form, timeout=5)
    assert reply.json()["status_code"] == 200

    process.kill()

    assert json.loads(path.read_text())["transfer_date"] == form["transfer_date"][:16]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--switch", "busy=all"], "busy takes float"),
        (["--switch", "busy"], "a switch is written NAME=VALUE"),
        (["--zone", "Mars/Olympus"], "No time zone found"),
        (["--port", "{taken}"], "port {taken} is taken, choose another with --port"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(run, arguments, sentence):
    with StandIn() as other:
        taken = other.url.rpartition(":")[2]
        process = run(*(argument.format(taken=taken) for argument in arguments))
        _, errors = process.communicate(timeout=10)

    assert process.returncode != 0
    assert sentence.format(taken=taken) in errors
    assert "Traceback" not in errors
