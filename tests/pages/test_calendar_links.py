"""Links to calendars on the web tell the same visit as the file, but not its secret address."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from booking import calendar_links
from booking.models import House
from tests.bookings import booking
from tests.journey import HOUSE, links, text_of
from tests.moves import call_off

pytestmark = pytest.mark.django_db

START = datetime(2031, 12, 2, 6, 0, tzinfo=UTC)


@pytest.fixture
def house() -> House:
    return House(house_id=HOUSE, address="ул. Таёжная, 14 & 16", visit_minutes=90)


def asked(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_google(house):
    told = asked(calendar_links.google(booking(starts_at=START), house))

    assert told["dates"] == "20311202T060000Z/20311202T073000Z"
    assert told["location"] == "ул. Таёжная, 14 & 16, Лесной квартал, дом 1"
    assert "1.8-12-1" in told["text"]


def test_outlook(house):
    told = asked(calendar_links.outlook(booking(starts_at=START), house))

    assert (told["startdt"], told["enddt"]) == ("2031-12-02T06:00:00Z", "2031-12-02T07:30:00Z")
    assert "1.8-12-1" in told["subject"]


@pytest.mark.parametrize("link", [calendar_links.google, calendar_links.outlook])
def test_no_address_that_opens_the_page(house, link):
    made = booking()

    assert str(made.key) not in link(made, house)
    assert made.get_short_url() not in link(made, house)


def test_only_an_expected_visit_has_them(client):
    made = booking()
    page = made.get_absolute_url()
    assert any("calendar.google.com" in link for link in links(text_of(client.get(page))))

    call_off(made)
    assert not any("calendar.google.com" in link for link in links(text_of(client.get(page))))
