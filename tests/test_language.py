"""Pages speak the language of the link, else of the browser, else Russian."""

import re

import pytest

from booking.models import Booking
from tests.journey import fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("accepts", "lang", "h1"),
    [
        ("ru", "ru", "Какую квартиру вы получаете?"),
        ("en-GB,en;q=0.9", "en", "Which flat are you receiving?"),
        ("de-DE,de;q=0.9", "ru", "Какую квартиру вы получаете?"),
        ("", "ru", "Какую квартиру вы получаете?"),
        ("\x00;;q=abc", "ru", "Какую квартиру вы получаете?"),
    ],
)
def test_the_browser_chooses(client, standin, accepts, lang, h1):
    page = client.get("/", headers={"Accept-Language": accepts})

    assert heading(page) == h1
    assert f'<html lang="{lang}">' in text_of(page)
    assert page.headers["Content-Language"] == lang
    assert "Accept-Language" in page.headers["Vary"]


def test_a_link_chooses_and_is_remembered(client, standin):
    page = client.get("/?category=flat")
    assert 'href="/?category=flat&amp;lang=en"' in text_of(page)

    assert heading(client.get("/?category=flat&lang=en")) == "Which flat are you receiving?"
    assert heading(client.get("/")) == "Which flat are you receiving?"
    assert heading(client.get("/?lang=ru")) == "Какую квартиру вы получаете?"


def test_an_unknown_language_changes_nothing(client, standin):
    page = client.get("/?lang=tlh")

    assert heading(page) == "Какую квартиру вы получаете?"
    assert "lang" not in page.cookies


def test_an_english_booking_speaks_english_to_the_end(client, standin):
    client.get("/?lang=en")
    start = first_free(standin)
    page = client.get(send(client, fill_in(client, start)).url)

    html = text_of(page)
    assert heading(page) == "You are booked"
    assert f"{start:%A}, " in html
    # The house is called as the developer calls it; all else is English.
    body = html.split("<main")[1].split("</main>")[0].replace(Booking.objects.get().house_title, "")
    assert not re.findall("[а-яё]+", body, re.IGNORECASE)
