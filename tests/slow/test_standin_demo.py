"""`make demo`."""

from __future__ import annotations

import signal
import subprocess
import sys

from standin import StandIn
from tests.processes import HOST, free_port
from tests.torture.browser import Browser
from tests.variables import ROOT


def test_a_port_that_is_taken_is_said_in_one_sentence():
    with StandIn() as other:
        port = other.url.rpartition(":")[2]
        demo = subprocess.run(
            [sys.executable, "scripts/demo.py", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert demo.returncode == 1
    assert demo.stdout == ""
    assert demo.stderr.startswith(f"demo: port {port} is taken by another program; ")
    assert len(demo.stderr.splitlines()) == 1


def test_it_shows_the_site_until_it_is_told_to_stop():
    port = free_port()
    command = [sys.executable, "scripts/demo.py", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        told = []
        while line := demo.stdout.readline():
            told.append(line)
            if "Ctrl-C" in line:
                break
        page = Browser(HOST, port, address=HOST).get("/")
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()

    assert f"http://{HOST}:{port}" in "".join(told)
    assert "Демонстрация" in page.html
    assert rest.strip() == "Stopped."
    assert demo.returncode == 0
