"""Strangers who try passwords of staff without a pause, on a site as it is deployed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import requests

from standin import StandIn
from tests.processes import DOMAIN, HOST, ZONE, Site, own_database
from tests.torture.browser import Browser

STRANGERS = 20
PASSWORD = "a-long-password"
TOKEN = "x" * 32  # what a browser without scripts keeps of a form, and sends back
SUPERUSER = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": "o@office.example"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with StandIn(domain=DOMAIN, zone=ZONE) as crm:
        address = own_database(tmp_path)
        with Site(
            folder=tmp_path, crm_url=crm.url, database_url=address, workers=1, variables=SUPERUSER
        ) as running:
            for name in ("olga", "mark"):
                running.manage("createsuperuser", "--noinput", "--username", name)
            yield running


class Colleague(requests.Session):
    def __init__(self, site: Site) -> None:
        super().__init__()
        self._desk = f"http://{HOST}:{site.port}/admin/"
        self.get(f"{self._desk}login/")

    def open_dashboard(self) -> int:
        return self.get(self._desk, allow_redirects=False).status_code

    def log_in(self, name: str) -> int:
        token = self.cookies["csrftoken"]
        form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": token}
        return self.post(f"{self._desk}login/", form, allow_redirects=False).status_code

    def forget_session(self) -> None:
        self.cookies.pop("sessionid")


def guess(site: Site, number: int, over: Event) -> Counter[int]:
    """What one stranger is answered, who tries another name each time."""
    browser = Browser(
        HOST,
        site.port,
        address=f"127.1.1.{number}",
        cookie=f"csrftoken={TOKEN}; sessionid=invented",
    )
    answers: Counter[int] = Counter()
    while not over.is_set():
        name = f"name-{number}-{sum(answers.values())}"
        form = {"username": name, "password": "wrong", "csrfmiddlewaretoken": TOKEN}
        answers[browser.post("/admin/login/", form).status] += 1
    return answers


def test_twenty_strangers_at_the_login_keep_no_staff_out(site):
    olga, mark = Colleague(site), Colleague(site)
    assert olga.log_in("olga") == mark.log_in("mark") == 302
    mark.forget_session()
    over = Event()
    with ThreadPoolExecutor(STRANGERS) as outside:
        strangers = [outside.submit(guess, site, n, over) for n in range(1, STRANGERS + 1)]
        try:
            time.sleep(1)
            seen = [olga.open_dashboard() for _page in range(20)]
            logins = [mark.log_in("mark") for _login in range(3)]
        finally:
            over.set()
    answers: Counter[int] = sum((stranger.result() for stranger in strangers), Counter())

    assert seen == [200] * 20
    assert logins == [302] * 3
    assert answers.keys() <= {200, 429, 503}
    assert answers[200] > 0
