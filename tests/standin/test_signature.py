from __future__ import annotations

import time

import pytest

from standin import StandIn
from tests.standin.caller import Caller, sign

UNICODE = "вашсайт.рф"
PUNYCODE = "xn--80aae4a1bi2b.xn--p1ai"
MOMENT = "1700000000"
# The vectors are made by PHP's md5: they hold the tests' own signature too.
KNOWN = {
    UNICODE: "d485634cadc8b2e3f7c43959f78075ec",
    PUNYCODE: "380b47b4d8814130e7f2b91a7b77fd37",
}


def code(crm: StandIn, **signed: str) -> int:
    found: int = Caller(crm).answer("getReadyFlats", **signed)["status_code"]
    return found


@pytest.mark.parametrize("domain", KNOWN)
def test_the_known_vectors_are_accepted(domain):
    with StandIn(domain=domain, clock_skew=float(MOMENT) - time.time()) as crm:
        assert code(crm, domain=domain, time=MOMENT, token=KNOWN[domain]) == 200

    assert sign(domain, MOMENT, "example-secret") == KNOWN[domain]


@pytest.mark.parametrize(
    ("domain", "moment", "token"),
    [
        (PUNYCODE, MOMENT, KNOWN[PUNYCODE]),
        ("ВашСайт.рф", MOMENT, "261ecbc7b9fa8c6257e62c8abcf0c1d2"),
        (f"{UNICODE}/", MOMENT, "30ae6f26785b023aeb751fd5d64d39dd"),
        (f"www.{UNICODE}", MOMENT, "1d8ae075092c8f74fa75013135879f00"),
        (UNICODE, MOMENT, KNOWN[UNICODE].upper()),
        (UNICODE, "1700000001", KNOWN[UNICODE]),
        (UNICODE, f"{MOMENT}.0", sign(UNICODE, f"{MOMENT}.0", "example-secret")),
        (UNICODE, f"{MOMENT}000", sign(UNICODE, f"{MOMENT}000", "example-secret")),
        (UNICODE, MOMENT, "ключ"),
    ],
)
def test_any_other_spelling_is_refused(domain, moment, token):
    with StandIn(domain=UNICODE, clock_skew=float(MOMENT) - time.time()) as crm:
        envelope = Caller(crm).answer("getReadyFlats", domain=domain, time=moment, token=token)

    assert (envelope["status_code"], envelope["message"]) == (401, "Неверный токен")


@pytest.mark.parametrize("missing", ["time", "domain", "token"])
def test_an_unsigned_request_is_refused(crm, missing):
    assert code(crm, **{missing: ""}) == 400


@pytest.mark.parametrize(("ahead", "told"), [(-3600, 200), (3600, 200), (-9e4, 401), (9e4, 401)])
def test_a_clock_may_be_a_day_off(crm, ahead, told):
    crm.switch(clock_skew=ahead)

    assert code(crm) == told
