"""What a list weighs on its way to an old phone, where a kilobyte takes 20 ms on slow 3G."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from standin.fixtures import of_size
from tests.journey import FLAT, HOUSE, text_of

pytestmark = pytest.mark.django_db


def weight(client, path, **answers):
    """In bytes, as browsers ask for it."""
    response = client.get(f"{path}?{urlencode(answers)}", headers={"accept-encoding": "gzip, br"})
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "gzip"
    return len(response.content)


def test_a_house_of_600_flats_is_light(client, standin):
    [house] = of_size(houses=1, flats=600)
    standin.build([house])
    page = text_of(client.get(f"/?{urlencode({'category': 'flat', 'house': house.id})}"))
    assert page.count('name="flat"') > 600

    assert weight(client, "/", category="flat", house=house.id) <= 7_000


def test_a_fortnight_is_light(client, standin):
    assert weight(client, "/time/", category="flat", house=HOUSE, flat=FLAT) <= 4_000
