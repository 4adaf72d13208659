"""Strangers with a form and a phone that is not theirs harm no buyer, and learn nothing."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from booking.models import Booking
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE, Flat, shareholders
from tests.journey import FLAT, HOUSE, answers, fill_in, first_free, heading, send, text_of

pytestmark = pytest.mark.django_db

OWNER = shareholders(HOUSE, Flat("flat", FLAT))[0]
# What no two pages have in common: keys, booking numbers, masked phones, the clock of the house,
# and the token of a form, which names the second.
OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|[АВЕКМНОРСТУХ]\d{4}[АВЕКМНОРСТУХ]{2}|\d\d-\d\d</span>"
    r"|T\d\d:\d\d:\d\d\+|form:[\w-]+:[\w-]+"
)


def posted(form: dict[str, str], **changes: str) -> Any:
    """A press in a browser that has never been here."""
    return send(Client(), form | {"key": str(uuid.uuid4())} | changes)


def alike(page: Any) -> str:
    return OWN.sub("·", text_of(page))


def test_one_flat_cannot_take_the_times_of_a_house(standin: StandIn) -> None:
    standin.switch(second_add="adds")
    for start in standin.free_starts(HOUSE)[:6]:
        posted(fill_in(Client(), start), start=f"{start:%Y-%m-%dT%H:%M}")

    assert len(standin.ledger) == 1
    assert Booking.objects.filter(outcome="confirmed").count() == 1


@pytest.mark.parametrize(
    "offset",
    [
        timedelta(hours=-6, minutes=17),  # at night, off the grid
        timedelta(minutes=7),  # off the grid
        timedelta(days=-3),  # past
        timedelta(days=400),  # beyond what is offered
    ],
)
def test_a_time_that_was_never_offered_tells_no_phone_from_another(
    standin: StandIn, offset: timedelta
) -> None:
    start = first_free(standin)
    form = fill_in(Client(), start) | {"start": f"{start + offset:%Y-%m-%dT%H:%M}"}

    right, wrong = posted(form), posted(form, phone=REFUSED_PHONE)

    assert (right.status_code, right.url) == (wrong.status_code, wrong.url)
    assert right.url.startswith("/time/?")
    assert alike(Client().get(right.url)) == alike(Client().get(wrong.url))
    assert standin.count("add") == 0


def test_a_time_that_is_taken_tells_no_phone_from_another(standin: StandIn) -> None:
    start, *_ = standin.free_starts(HOUSE)
    form = fill_in(Client(), start)
    standin.hand_to_a_rival(HOUSE, start)
    # A look of the last half minute shows it free: these are the last that the CRM hears of it.
    posted(form, flat="1.8-12-2")

    right, wrong = posted(form), posted(form, phone=REFUSED_PHONE)

    assert (right.status_code, right.url) == (wrong.status_code, wrong.url)
    assert right.url.startswith("/time/?")
    assert standin.count("add") == 1


@pytest.mark.parametrize("phone", [ACCEPTED_PHONE, OWNER, REFUSED_PHONE])
def test_another_browser_gets_neither_the_address_nor_the_form(
    standin: StandIn, phone: str
) -> None:
    early, late, other = standin.free_starts(HOUSE)[:3]
    owners = send(Client(), fill_in(Client(), early))
    form = fill_in(Client(), late)
    unbooked = posted(form, phone=REFUSED_PHONE, flat="1.8-12-2")

    tried = posted(form, phone=phone)

    page = Client().get(tried.url)
    assert tried.url != owners.url
    assert owners.url not in text_of(page)
    assert 'name="kind"' not in text_of(page)
    assert heading(page) == "Записаться не получилось"
    assert "/find/" in text_of(page)
    # To the letter what a wrong phone for a flat without a visit reads, but for the flat.
    nothing_booked = alike(Client().get(unbooked.url)).replace("1.8-12-2", FLAT)
    assert alike(page) == nothing_booked
    assert Booking.objects.latest("pk").reason == "has_visit"
    assert standin.count("add") == 2
    assert other not in Booking.objects.values_list("starts_at", flat=True)


def test_the_browser_that_booked_is_led_to_its_page(standin: StandIn) -> None:
    early, late = standin.free_starts(HOUSE)[:2]
    browser = Client()
    form = fill_in(browser, late)
    own = send(browser, fill_in(browser, early))

    again = send(browser, form)

    assert again.url.startswith(own.url)
    assert browser.get("/confirm/", answers(early)).headers["Location"].startswith(own.url)


def test_a_browser_keeps_its_last_five_bookings(standin: StandIn) -> None:
    browser = Client()
    starts = standin.free_starts(HOUSE)
    urls = []
    for number, start in enumerate(starts[:6]):
        flat = f"1.8-{2 + number}-1"
        urls.append(send(browser, fill_in(browser, start, flat=flat)).url)

    led = [
        send(browser, fill_in(Client(), starts[8], flat=f"1.8-{2 + number}-1")).url
        for number in range(6)
    ]

    assert [url.partition("?")[0] for url in led[1:]] == urls[1:]
    assert not led[0].startswith(urls[0])
    assert heading(browser.get(led[0])) == "Записаться не получилось"


def test_a_cookie_of_another_key_leads_nowhere(standin: StandIn) -> None:
    start, late = standin.free_starts(HOUSE)[:2]
    send(Client(), fill_in(Client(), start))
    browser = Client()
    browser.cookies["bookings"] = Booking.objects.get().key.hex

    tried = send(browser, fill_in(Client(), late))

    assert Booking.objects.get(key=tried.url.split("/")[2]).reason == "has_visit"
