"""What a load balancer asks."""

from __future__ import annotations

import pytest
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
    health._require_migrations.cache_clear()

    response = client.get("/readyz/")

    assert (response.status_code, response.content) == (503, b"migrations are pending\n")


def test_ready_is_asked_of_the_database_once_a_second(client, django_assert_num_queries):
    client.get("/readyz/")

    with django_assert_num_queries(0):
        assert client.get("/readyz/").status_code == 200
