"""The Nu HTML checker, run as a server of the tests' own: is a page valid HTML?"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection

import pytest

from tests.variables import ROOT

# Where `make html-checker` puts it.
JAR = ROOT / "var" / "nu" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
HOST = "127.0.0.1"
PATIENCE = 240  # seconds until it must take connections: ten where nothing else runs
# It refuses who does not say what program it is.
HEADERS = {"Content-Type": "text/html; charset=utf-8", "User-Agent": "tests"}


class Checker:
    def __init__(self, port: int) -> None:
        self._port = port

    def findings(self, html: str) -> list[str]:
        """What is wrong with a page, or doubtful; with the line."""
        with closing(HTTPConnection(HOST, self._port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/?out=json", html.encode(), HEADERS)
            messages = json.load(connection.getresponse())["messages"]
        return [
            f"{each.get('lastLine', '')}: {each['message']} {each.get('extract', '')}"
            for each in messages
        ]


@contextmanager
def running(environment: Mapping[str, str]) -> Iterator[Checker]:
    """Without the checker the test is skipped, but in CI it fails."""
    _look_for(environment)
    port = _free_port()
    options = [f"-Dnu.validator.servlet.bind-address={HOST}", "-cp", str(JAR)]
    server = subprocess.Popen(
        ["java", *options, "nu.validator.servlet.Main", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        yield Checker(port)
    finally:
        server.terminate()
        server.wait()


def _look_for(environment: Mapping[str, str]) -> None:
    if JAR.is_file() and shutil.which("java"):
        return
    reason = "No HTML checker: install Java and npm, then `make html-checker`."
    if environment.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("The HTML checker did not start.")
