from itertools import count
from time import monotonic

import pytest
from django.core.checks import run_checks
from django.test import RequestFactory

from booking import client_address as module
from booking.client_address import client_address

HOUR = 3600
# Far beyond what a test of another module, minutes after this line, may have told.
BEGINNINGS = count(int(monotonic()) + 24 * HOUR, 2 * HOUR)


@pytest.fixture(autouse=True)
def now(monkeypatch) -> int:
    """So long after the test before that nothing told there keeps this one quiet."""
    beginning = next(BEGINNINGS)
    monkeypatch.setattr(module, "monotonic", lambda: beginning)
    return beginning


def asked_from(remote: str, forwarded: str | None = None) -> str | None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


def test_without_proxies_only_the_connection_is_believed():
    assert asked_from("198.51.100.7", "203.0.113.1") == "198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        (2, "6.6.6.6, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        (2, "6.6.6.6", "10.0.0.1"),
        (1, None, "10.0.0.1"),
        (1, " ", "10.0.0.1"),
        (1, "203.0.113.1:4711", "203.0.113.1"),
        (1, "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::"),
        (1, "unknown", None),
    ],
)
def test_behind_proxies_a_client_cannot_forge_its_address(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies

    assert asked_from("10.0.0.1", forwarded) == address


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", None),
    ],
)
def test_addresses_are_those_that_can_be_counted(remote, address):
    assert asked_from(remote) == address


# TRUSTED_PROXIES that does not fit the traffic

VISITOR, OTHER, FORGED = "93.184.216.34", "93.184.216.35", "6.6.6.6"
INSIDE, LOOPBACK, UNIX_SOCKET = "10.0.0.2", "::1", ""


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "told"),
    [
        pytest.param(0, None, VISITOR, "", id="no proxy"),
        pytest.param(0, FORGED, VISITOR, "", id="no proxy, and a visitor who forges"),
        pytest.param(0, None, INSIDE, "", id="no proxy, and a visitor from inside"),
        pytest.param(0, VISITOR, LOOPBACK, "TRUSTED_PROXIES is 0", id="a proxy on this machine"),
        pytest.param(0, VISITOR, INSIDE, "TRUSTED_PROXIES is 0", id="one proxy, none counted"),
        pytest.param(0, None, UNIX_SOCKET, "TRUSTED_PROXIES is 0", id="unix socket, none counted"),
        pytest.param(1, VISITOR, INSIDE, "", id="one proxy"),
        pytest.param(1, VISITOR, UNIX_SOCKET, "", id="one proxy by a unix socket"),
        pytest.param(1, f"{FORGED}, {VISITOR}", INSIDE, "", id="a visitor who forges"),
        pytest.param(1, INSIDE, INSIDE, "", id="a visitor from inside"),
        pytest.param(1, f"{VISITOR}, {INSIDE}", INSIDE, "Set it to 2", id="one too few"),
        pytest.param(1, f"{VISITOR}, {INSIDE}, {INSIDE}", INSIDE, "Set it to 3", id="two too few"),
        pytest.param(1, None, INSIDE, "names 0 addresses", id="a proxy that does not say"),
        pytest.param(2, VISITOR, INSIDE, "set it to 1", id="one too many"),
        pytest.param(2, f"{VISITOR}, {INSIDE}", INSIDE, "", id="two proxies"),
        pytest.param(1, "unknown", INSIDE, "", id="no address at all"),
    ],
)
def test_a_number_of_proxies_that_does_not_fit_is_told(
    settings, caplog, proxies, forwarded, remote, told
):
    settings.TRUSTED_PROXIES = proxies

    asked_from(remote, forwarded)

    assert told in caplog.text
    assert bool(caplog.records) == bool(told)
    for address in (VISITOR, INSIDE):
        assert address not in caplog.text


def test_it_is_told_once_an_hour(caplog, monkeypatch, now):
    for seconds, told in ((0, 1), (1, 1), (3599, 1), (3600, 2), (3601, 2)):
        monkeypatch.setattr(module, "monotonic", lambda later=now + seconds: later)
        asked_from(INSIDE, VISITOR)

        assert len(caplog.records) == told, seconds
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_figures_are_asked_for_past_the_proxies(settings, caplog):
    settings.TRUSTED_PROXIES, settings.METRICS_PATH = 1, "figures/"

    client_address(RequestFactory().get("/figures/", REMOTE_ADDR=INSIDE))

    assert caplog.text == ""


def test_a_header_as_long_as_can_be_is_looked_at_from_its_end(settings):
    settings.TRUSTED_PROXIES = 1
    header = ", ".join([VISITOR] * 500 + [INSIDE] * 100)

    assert asked_from(INSIDE, header) == INSIDE


@pytest.mark.parametrize(
    ("proxies", "redirect", "warned"), [(0, True, True), (1, True, False), (0, False, False)]
)
def test_a_deployment_whose_pages_would_redirect_to_themselves_is_warned(
    settings, proxies, redirect, warned
):
    settings.TRUSTED_PROXIES, settings.SECURE_SSL_REDIRECT = proxies, redirect

    told = [each.id for each in run_checks(include_deployment_checks=True)]

    assert ("booking.W003" in told) is warned
