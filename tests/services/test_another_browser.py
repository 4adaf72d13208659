"""Who knows a flat and its phone, but has not booked, does not get to the page of its booking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from booking.models import Booking
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from tests.journey import (
    FLAT,
    HOUSE,
    answers,
    browser,
    fill_in,
    first_free,
    heading,
    links,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db

FREE_FLAT = "1.8-12-2"


@dataclass(frozen=True)
class Receipt:
    """The booking of the owner, and how the owner's browser sees it."""

    booking: Booking
    browser: Client

    @property
    def betrayals(self) -> tuple[str, ...]:
        """What would tell another browser of it."""
        key, start = self.booking.key, self.booking.starts_at_local
        return (str(key), key.hex, str(self.booking.reference), f"{start:%H:%M}", "change/")


@pytest.fixture
def receipt(standin: StandIn) -> Receipt:
    owner = browser()
    send(owner, fill_in(owner, first_free(standin)))
    return Receipt(Booking.objects.get(), owner)


@pytest.fixture
def later(standin: StandIn) -> datetime:
    """The last time there is: neither the day nor the hour of the booked one."""
    return standin.free_starts(HOUSE)[-1]


def press(another: Client, start: datetime, phone: str, flat: str = FLAT) -> Any:
    """The button in a browser that has booked nothing, and the page to which it leads."""
    reply = send(another, fill_in(another, start, phone=phone, flat=flat))
    return another.get(reply.url)


@pytest.mark.parametrize("phone", [ACCEPTED_PHONE, REFUSED_PHONE], ids=["its phone", "another"])
def test_it_is_not_led_to_the_page(receipt, later, phone):
    page = press(browser(), later, phone)

    assert page.request["PATH_INFO"] != receipt.booking.get_absolute_url()
    assert [told for told in receipt.betrayals if told in text_of(page)] == []
    assert "/find/" in links(text_of(page))


def test_a_flat_that_has_a_visit_and_a_phone_that_is_wrong_read_the_same(receipt, later):
    with_a_visit = press(browser(), later, ACCEPTED_PHONE)
    with_both = press(browser(), later, REFUSED_PHONE)
    with_a_wrong_phone = press(browser(), later, REFUSED_PHONE, flat=FREE_FLAT)

    assert neutral(with_a_visit) == neutral(with_both) == neutral(with_a_wrong_phone)
    assert with_a_visit.status_code == with_a_wrong_phone.status_code == 200


def test_the_booked_time_is_gone_like_any_other(receipt, standin, later):
    booked = receipt.booking.starts_at_local
    reply = send(browser(), form_for(booked))
    page: Any = browser().get("/confirm/?" + urlencode(answers(booked)))

    for answer in (reply, page):
        assert answer.status_code == 302
        assert answer.url.startswith("/time/?")


def test_it_may_press_again_and_gets_no_further(receipt, later):
    another = browser()

    for _ in range(3):
        page = press(another, later, ACCEPTED_PHONE)
        Booking.objects.update(created_at=timezone.now() - timedelta(minutes=2))

    assert receipt.booking.get_absolute_url() not in text_of(page)
    assert another.get(f"{page.request['PATH_INFO']}calendar.ics").status_code == 404
    again: Any = another.post(f"{page.request['PATH_INFO']}again/")
    assert again.url == page.request["PATH_INFO"]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("in_doubt", "Записаться не получилось"), ("sending", "Проверьте и подтвердите запись")],
)
def test_what_is_still_open_is_not_told_either(receipt, later, outcome, told):
    ago = timezone.now() - timedelta(minutes=2)
    Booking.objects.update(outcome=outcome, created_at=ago, settled_at=ago)

    form = fill_in(Client(), later, phone=ACCEPTED_PHONE)
    reply: Any = send(browser(), form)
    page = reply if reply.status_code == 429 else browser().get(reply.url)

    assert heading(page) == told
    assert [told for told in receipt.betrayals if told in text_of(page)] == []


def test_its_own_browser_is_led_to_the_page(receipt, later):
    page = press(receipt.browser, later, ACCEPTED_PHONE)

    assert page.request["PATH_INFO"] == receipt.booking.get_absolute_url()
    assert heading(page) == "Вы записаны"


def test_who_has_the_number_as_well_is_led_to_the_page(receipt):
    number = str(receipt.booking.reference)

    reply: Any = browser().post("/find/", {"number": number, "phone": ACCEPTED_PHONE})

    assert reply.url == receipt.booking.get_absolute_url()


def form_for(start: datetime) -> dict[str, str]:
    """As `fill_in` gives it, of a page that was opened before the time was taken."""
    key = "3f0c6a5e-0000-4000-8000-000000000001"
    return answers(start) | {"key": key, "phone": ACCEPTED_PHONE, "consent": "on"}


def neutral(page: Any) -> str:
    """A refusal's page without what its own press has brought: number, phone, flat, keys."""
    own = Booking.objects.get(key=page.request["PATH_INFO"].split("/")[2])
    text = text_of(page)
    for told in (str(own.key), str(own.reference), own.flat):
        text = text.replace(told, "…")
    form = r"name=\"(form_token|key|phone)\".*?>"
    return re.sub(rf"\d\d-\d\d(?=<)|{form}", "…", text)
