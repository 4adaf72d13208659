"""The signature, with vectors computed apart from this code."""

from __future__ import annotations

import unicodedata

import pytest

from booking.crm import other_spelling
from booking.crm.signing import signed

SITE = "вашсайт.рф"
PUNYCODE = "xn--80aae4a1bi2b.xn--p1ai"


@pytest.mark.parametrize(
    ("domain", "token"),
    [
        pytest.param(SITE, "d485634cadc8b2e3f7c43959f78075ec", id="Cyrillic"),
        pytest.param(PUNYCODE, "380b47b4d8814130e7f2b91a7b77fd37", id="punycode"),
        pytest.param(
            unicodedata.normalize("NFD", SITE), "c9bc66e327e8bb241d7ead1b611caf29", id="NFD"
        ),
        pytest.param("ВашСайт.рф", "261ecbc7b9fa8c6257e62c8abcf0c1d2", id="capitals"),
        pytest.param("вашсайт.рф/", "30ae6f26785b023aeb751fd5d64d39dd", id="slash"),
        pytest.param("www.вашсайт.рф", "1d8ae075092c8f74fa75013135879f00", id="www"),
    ],
)
def test_the_token_covers_the_domain_exactly_as_it_is_sent(domain: str, token: str) -> None:
    fields = signed(domain=domain, secret="example-secret", at=1700000000)

    assert fields == {"time": "1700000000", "domain": domain, "token": token}


def test_the_token_covers_the_time_exactly_as_it_is_sent() -> None:
    fields = signed(domain=SITE, secret="example-secret", at=1700000000000)

    assert fields["token"] == "1929cd1752c96fbd25b79a05ccfde137"


@pytest.mark.parametrize(
    ("domain", "other"),
    [
        (SITE, PUNYCODE),
        (PUNYCODE, SITE),
        ("example.test", None),
        ("Example.Test", None),
        ("xn--\N{LATIN SMALL LETTER E WITH ACUTE}", None),
        ("а" * 64 + ".рф", None),
    ],
)
def test_the_other_spelling_of_a_domain(domain: str, other: str | None) -> None:
    assert other_spelling(domain) == other
