"""The short address of a booking's page, for messages and print, and its QR code."""

from __future__ import annotations

import re
import uuid

import pytest
import segno

from booking import qr_codes
from booking.models import Booking
from booking.short_keys import ShortKeyConverter
from tests.journey import fill_in, first_free, send, text_of

KEY = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
SHORT = "ABEiM0RVZneImaq7zN3u_w"


def test_a_key_has_22_characters_that_lead_back():
    assert ShortKeyConverter().to_url(KEY) == SHORT
    assert ShortKeyConverter().to_python(SHORT) == KEY


@pytest.mark.django_db
def test_it_opens_the_page(client, standin):
    page = send(client, fill_in(client, first_free(standin))).url

    assert client.get(Booking.objects.get().get_short_url()).url == page


@pytest.mark.parametrize("short", [f"{SHORT[:-1]}x", SHORT[:-1], f"{SHORT}A", "é" * 22])
def test_one_key_has_one_address(client, short):
    """The last character holds two bits of the key; a decoder alone would take any others."""
    assert client.get(f"/b/{short}/").status_code == 404


@pytest.mark.django_db
def test_the_page_prints_it_as_a_qr_code(client, standin):
    page = client.get(send(client, fill_in(client, first_free(standin))).url)
    address = f"http://testserver{Booking.objects.get().get_short_url()}"

    assert address in text_of(page)
    assert f'd="{qr_codes.draw(address).path}"' in text_of(page)


def test_the_strokes_are_the_dark_modules():
    text = f"https://keys.example.ru/b/{SHORT}/"
    drawn = qr_codes.draw(text)
    strokes = re.findall(r"M(\d+) (\d+)\.5h(\d+)", drawn.path)
    dark = {(int(x) + i, int(y)) for x, y, length in strokes for i in range(int(length))}

    rows = list(segno.make_qr(text, error="m").matrix_iter(border=4))
    assert drawn.size == len(rows)
    assert dark == {(x, y) for y, row in enumerate(rows) for x, each in enumerate(row) if each}
