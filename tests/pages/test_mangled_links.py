"""Links that newsletters, messengers and redirects have mangled lead where they were meant to."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client

from booking import mangled_links
from standin import StandIn
from tests.journey import text_of

NAMES = ("category", "house", "flat", "utm_source")
MEANT = {"category": "flat", "house": "3105034", "flat": "К-7", "utm_source": "sms"}
FLAT = quote("К-7")
LAST = "utm_source=sms&category=flat&house=3105034&flat="
WHOLE = f"category=flat&house=3105034&flat={FLAT}&utm_source=sms"


def as_bytes(text: str) -> str:
    """As a browser's own bytes reach WSGI."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize(
    "query",
    [
        WHOLE,
        WHOLE.replace("&", "&amp;"),
        WHOLE.replace("&", "&amp;amp;"),
        WHOLE.replace("&", ";"),
        WHOLE.replace("&", "%26"),
        WHOLE.replace("&", "\\u0026"),
        WHOLE + "&flat=",
        WHOLE.replace("&", "&&"),
        f"?{WHOLE}",
        f"?&{WHOLE}&",
        f"{WHOLE}?{WHOLE}",
        f"utm_source=sms?category=flat&house=3105034&flat={FLAT}",
        f"category=flat&house=3105034&flat={FLAT}?utm_source=sms",
        WHOLE.replace(FLAT, quote(FLAT)),  # %25D0%259A-7
        WHOLE.replace(FLAT, quote(quote(FLAT))),
        WHOLE.replace(FLAT, quote("К-7".encode("cp1251"))),
        as_bytes(WHOLE.replace(FLAT, "К-7")),
        "К-7".encode("cp1251").decode("latin-1").join(WHOLE.split(FLAT)),
        quote(WHOLE),
        quote(quote(WHOLE)),
        WHOLE.replace("=", "=3D"),
        WHOLE.replace("house=3105034", "house=31%0D%0A05034"),
        WHOLE.replace("=", "=%20"),
        WHOLE.replace(FLAT, f"{FLAT}%20"),
        WHOLE.replace(FLAT, f"%E2%80%8B{FLAT}%C2%AD"),
        WHOLE.replace("category", "Category").replace("house", "HOUSE"),
        WHOLE.replace("house", "%E2%80%8Bhouse").replace("flat=К", "%EF%BB%BFflat=К"),
        WHOLE.replace("&", "%26").replace("=", "%3D").replace("%3D", "=", 1),
        f"category=flat&house=3105034&flat={FLAT}?fbclid=a&utm_source=sms",
        *(f"{LAST}{FLAT}{mark}" for mark in ".,;)>!/"),
        f"{LAST}{FLAT}**",
        f"{LAST}{FLAT}{quote('»).')}",
        f"{LAST}{quote('«К-7»')}",
        f"{LAST}{FLAT}https://visit.example.com/",
    ],
)
def test_what_was_meant_is_among_the_readings(query: str) -> None:
    assert MEANT in mangled_links.readings(query, NAMES)


@pytest.mark.parametrize(
    "flat", ["12 (а)", "1/2", "50%", "100%25", "А+1", "3D-1", "Кл. 1", "а&б", "?", "а=б"]
)
def test_the_literal_reading_comes_first(flat: str) -> None:
    found = mangled_links.readings(f"house=1&flat={quote(flat, safe='')}", NAMES)

    assert found[0] == {"house": "1", "flat": flat}


def test_a_sound_link_has_one_reading() -> None:
    assert mangled_links.readings(WHOLE, NAMES) == [MEANT]
    assert mangled_links.readings("", NAMES) == [{}]
    assert mangled_links.readings("fbclid=1&_x", NAMES) == [{}]


# Through the site


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "category=flat&amp;house=3105034&amp;flat=%D0%9A-7&amp;utm_source=sms",
        "category=flat&house=3105034&flat=%25D0%259A-7&utm_source=sms",
        "category=flat&house=3105034&flat=%CA-7&utm_source=sms",
        "utm_source=sms?category=flat&house=3105034&flat=%D0%9A-7.",
    ],
)
def test_a_mangled_link_leads_to_the_times_of_its_flat(standin: StandIn, query: str) -> None:
    response = Client().get("/", QUERY_STRING=query)

    times = urlsplit(response.headers["Location"])
    assert times.path == "/time/"
    assert {name: value for name, [value] in parse_qs(times.query).items()} == MEANT


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/time/", "/confirm/"])
def test_the_other_steps_read_it_too(standin: StandIn, path: str) -> None:
    start = standin.free_starts("3105034")[0]
    query = f"{WHOLE}&start={start:%Y-%m-%dT%H:%M}".replace("&", "&amp;")

    page = Client().get(path, QUERY_STRING=query)

    assert page.status_code == 200
    assert "К-7" in text_of(page)


@pytest.mark.django_db
def test_a_number_that_holds_is_not_mended(standin: StandIn) -> None:
    """«Оф. 2» is there and «Оф. 2/1», too."""
    query = "category=comm&house=3105034&flat=" + quote("Оф. 2")

    response = Client().get("/", QUERY_STRING=query)

    assert parse_qs(urlsplit(response.headers["Location"]).query)["flat"] == ["Оф. 2"]


@pytest.mark.django_db
def test_what_cannot_be_read_is_told_and_the_rest_kept(standin: StandIn) -> None:
    page = Client().get("/", QUERY_STRING="category=flat&amp;house=3105034&amp;flat=%25ZZ9")

    assert page.status_code == 200
    assert "%ZZ9" in text_of(page)
    assert "Дом у реки" in text_of(page)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "flat=12&ref=https://forum.example/t?flat=K-7",
        "flat=12&ref=a?house=3104998",
        "flat=12&utm_content=x;flat=33",
        "flat=12&FLAT=13",
    ],
)
def test_a_link_that_holds_is_not_altered(standin: StandIn, query: str) -> None:
    response = Client().get("/", QUERY_STRING=f"category=flat&house=3105034&{query}")

    times = parse_qs(urlsplit(response.headers["Location"]).query)
    assert (times["house"], times["flat"]) == (["3105034"], ["12"])


@pytest.mark.django_db
@pytest.mark.parametrize("mangle", ["{}.", "3D{}", "{})"])
def test_a_mangled_start_is_read(standin: StandIn, mangle: str) -> None:
    start = standin.free_starts("3105034")[0]
    query = "category=flat&house=3105034&flat=12&start=" + mangle.format(f"{start:%Y-%m-%dT%H:%M}")

    page = Client().get("/confirm/", QUERY_STRING=query)

    assert page.status_code == 200
    assert f"{start:%H:%M}" in text_of(page)
