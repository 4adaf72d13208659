"""What a load balancer asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from booking.views import health

pytestmark = pytest.mark.django_db


def test_a_site_that_is_well_is_alive_and_ready(client):
    assert client.get("/healthz/").status_code == 200
    assert client.get("/readyz/").content == b"ready\n"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[fd00::7]:8000", "site1", "no host", ""])
def test_health_is_told_under_any_name_and_nothing_else_is(client, settings, host, secure):
    settings.SECURE_SSL_REDIRECT = True

    for path in ("/healthz/", "/readyz/"):
        assert client.get(path, headers={"host": host}, secure=secure).status_code == 200
    for path in ("/", "/healthz", "/healthz/more/"):
        assert client.get(path, headers={"host": host}, secure=True).status_code == 400


def test_a_database_without_its_migrations_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(health, "GOOD_FOR", 0.0)
    MigrationRecorder.Migration.objects.filter(app="booking").latest("id").delete()

    response = client.get("/readyz/")

    assert (response.status_code, response.content) == (503, b"migrations are pending\n")


def test_ready_is_asked_of_the_database_once_a_second(client, django_assert_num_queries):
    client.get("/readyz/")

    with django_assert_num_queries(0):
        assert client.get("/readyz/").status_code == 200


SOON = 10


@contextmanager
def a_look_that_hangs(readiness: health.Readiness, monkeypatch) -> Iterator[None]:
    begun, end = threading.Event(), threading.Event()

    def hang(_seconds: float) -> None:
        begun.set()
        assert end.wait(SOON)
        raise OperationalError

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(health, "timeout", hang)
        looking = pool.submit(readiness.problem)
        try:
            assert begun.wait(SOON)
            yield
        finally:
            end.set()
        assert looking.result(SOON) == "the database does not answer"


def test_while_one_thread_waits_for_the_database_others_tell_what_was_seen_last(
    client, monkeypatch
):
    monkeypatch.setattr(health, "GOOD_FOR", 0.0)
    readiness = health.Readiness()
    monkeypatch.setattr(health, "readiness", readiness)

    with a_look_that_hangs(readiness, monkeypatch):
        first = client.get("/readyz/")
    assert client.get("/readyz/").status_code == 200
    with a_look_that_hangs(readiness, monkeypatch):
        later = client.get("/readyz/")

    assert (first.status_code, first.content) == (503, b"not known yet\n")
    assert later.status_code == 200
