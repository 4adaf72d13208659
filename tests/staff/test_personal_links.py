"""A link to one flat that staff make: what it holds, where it leads, and its code to print."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
import segno
from django.urls import reverse

from booking.models import Booking, House
from tests.journey import FLAT, HOUSE, fill_in, first_free, links, send, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House.objects.create(house_id=HOUSE, address="ул. Лесная, 1")


def url_of(house: House, name: str = "link") -> str:
    return reverse(f"admin:booking_house_{name}", args=[house.pk])


def made(client, house: House, **answers: str) -> str:
    """The page of a link that was asked for."""
    return text_of(client.get(url_of(house), {"category": "flat", "flat": FLAT} | answers))


def link_in(page: str) -> str:
    (link,) = {url for url in links(page) if url.startswith("http")}
    return link


def test_it_is_an_address_that_anybody_can_read(admin_client, standin, house):
    page = made(admin_client, house, flat=f"кв. {FLAT}")

    query = f"category=flat&house={HOUSE}&flat={FLAT}&ref=personal-link"
    assert link_in(page) == f"http://testserver/?{query}"


def test_it_opens_at_the_times_of_its_flat_and_the_booking_tells_of_it(
    admin_client, client, standin, house
):
    opened = client.get(link_in(made(admin_client, house)), follow=True)

    assert opened.redirect_chain[-1][0].startswith("/time/")
    assert FLAT in text_of(opened)
    send(client, fill_in(client, first_free(standin), ref="personal-link"))
    assert Booking.objects.get().source == {"ref": "personal-link"}


def test_no_link_is_made_for_a_flat_that_is_not_ready(admin_client, standin, house):
    page = made(admin_client, house, flat="999")

    assert "нет среди готовых" in page
    assert not [url for url in links(page) if url.startswith("http")]


def test_it_is_made_unchecked_while_the_crm_is_away(admin_client, settings, house):
    page = made(admin_client, house, flat="К 9/2")

    assert "никто не проверил" in page
    assert "flat=%D0%9A+9%2F2" in link_in(page)


@pytest.mark.parametrize("site", ["", "https://visit.example.com"])
def test_the_code_holds_the_link_under_the_sites_own_name(
    admin_client, settings, standin, house, site
):
    settings.SITE_URL = site
    answers = {"category": "flat", "flat": FLAT}
    link = link_in(made(admin_client, house))

    code = admin_client.get(url_of(house, "qr_code"), answers)

    drawn = BytesIO()
    segno.make_qr(link, error="m").save(drawn, kind="svg", scale=5, light="#fff")
    assert link.startswith(site or "http://testserver")
    assert code.headers["Content-Type"] == "image/svg+xml"
    assert code.content == drawn.getvalue()


def test_the_page_shows_the_code_of_its_link(admin_client, standin, house):
    page = made(admin_client, house)

    (shown,) = re.findall(r'<img[^>]* src="([^"]*)"', page)
    assert admin_client.get(shown.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"category": "boat", "flat": FLAT},
        {"category": "flat", "flat": "999"},
        {"category": "flat", "flat": "К" * 200},
    ],
    ids=str,
)
def test_there_is_no_code_of_what_is_no_link(admin_client, standin, house, answers):
    assert admin_client.get(url_of(house, "qr_code"), answers).status_code == 404


@pytest.mark.parametrize("name", ["link", "qr_code", "preview"])
def test_staff_without_a_role_see_none_of_it(django_user_model, client, house, name):
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))

    assert client.get(url_of(house, name)).status_code == 403
