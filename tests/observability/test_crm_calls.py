"""Calls of the CRM, as the client tells of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from booking.crm import AddRequest, CallReport, CRMClient, CRMConfig, CRMError
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests import journey

PHONE = "+79001234567"
TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Watched:
    client: CRMClient
    reports: list[CallReport]

    def told(self) -> list[tuple[str, str, str, int | None, int]]:
        return [(r.method, r.outcome, r.reason, r.http_status, r.tries) for r in self.reports]


@pytest.fixture
def watched(standin: StandIn) -> Watched:
    config = CRMConfig(base_url=standin.url, domain=standin.domain, secret=standin.secret)
    reports: list[CallReport] = []
    return Watched(CRMClient(config, on_call=reports.append), reports)


def visit(standin: StandIn, phone: str) -> AddRequest:
    start = journey.first_free(standin)
    return AddRequest(
        house_id=journey.HOUSE, flat=journey.FLAT, category="flat", starts_at=start, phone=phone
    )


def test_a_read_is_told_of(watched):
    watched.client.ready_flats("flat")

    assert watched.told() == [("getReadyFlats", "answered", "", 200, 1)]
    assert watched.reports[0].seconds > 0


def test_a_read_that_fails_twice_is_one_call_of_two_tries(watched, standin):
    standin.fail("getReadyFlats", "status", status=503)

    with pytest.raises(CRMError):
        watched.client.ready_flats("flat")

    assert watched.told() == [("getReadyFlats", "failed", "unavailable", 503, 2)]


@pytest.mark.parametrize(
    ("phone", "outcome", "reason"),
    [
        pytest.param(ACCEPTED_PHONE, "confirmed", "", id="confirmed"),
        pytest.param(REFUSED_PHONE, "refused", "no_match", id="refused"),
    ],
)
def test_a_booking_is_told_of_with_its_outcome(watched, standin, phone, outcome, reason):
    reply = watched.client.add(visit(standin, phone))

    (report,) = watched.reports
    assert (report.method, report.outcome, report.reason) == ("add", reply.outcome, reply.reason)
    assert report.outcome == outcome
