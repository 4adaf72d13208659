import re

import pytest
from django.core.checks import run_checks

from booking import brand
from tests.variables import ROOT


def test_the_grounds_are_those_of_the_stylesheet():
    css = (ROOT / "static" / "css" / "site.css").read_text("utf-8")

    for colour in (brand.PAPER, brand.DARK_PAPER, brand.ON_DARK_ACCENT):
        assert colour in css


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48)]
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert brand.contrast(one, other) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("accent", ["#7a1f3d", "#003399", "#000000"])
def test_a_dark_colour_becomes_readable_in_the_dark_theme_too(accent):
    palette = brand.palette(accent)

    assert palette.light == accent
    assert brand.contrast(palette.dark, brand.DARK_PAPER) >= brand.READABLE


@pytest.mark.parametrize("accent", ["#ffcc00", "green", "#12345", "", "#777777"])
def test_what_cannot_be_read_stops_the_start(settings, accent):
    settings.ACCENT_COLOR = accent
    found = [str(message.msg) for message in run_checks() if message.id == "booking.E003"]

    assert [text.split()[0] for text in found] == (["ACCENT_COLOR"] if accent else [])


@pytest.mark.parametrize("name", ["nowhere.svg", "pyproject.toml"])
def test_a_logo_must_be_a_picture_that_is_there(settings, name):
    settings.LOGO_FILE = str(ROOT / name)

    assert "booking.E004" in [message.id for message in run_checks()]


def test_a_heavy_logo_stops_the_start(settings, tmp_path):
    file = tmp_path / "logo.png"
    file.write_bytes(bytes(10_001))
    settings.LOGO_FILE = str(file)

    (told,) = [message.msg for message in run_checks() if message.id == "booking.E004"]
    assert told == "LOGO_FILE must have at most 10000 bytes, it has 10001."


@pytest.mark.django_db
def test_pages_wear_the_brand(client, standin, settings):
    settings.ACCENT_COLOR = "#7a1f3d"
    settings.LOGO_FILE = str(ROOT / "static" / "img" / "key.svg")
    page = client.get("/").content.decode()

    css, logo = (files_of_brand(client, page, kind) for kind in ("css", "svg"))
    assert b".brand" in css.content
    assert b"--accent:#7a1f3d" in css.content
    assert "css/site.css" not in page
    assert logo.headers["Content-Type"] == "image/svg+xml"
    assert logo.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
    )
    for file in (css, logo):
        assert {"public", "immutable"} <= set(file.headers["Cache-Control"].split(", "))


def files_of_brand(client, page, kind):
    """The one file of this kind that the page names, however often."""
    (address,) = set(re.findall(rf'"(/brand/[0-9a-f]{{12}}\.{kind})"', page))
    return client.get(address)


def test_another_logo_has_another_address(settings, tmp_path):
    names = set()
    for content in ("<svg/>", "<svg></svg>"):
        file = tmp_path / f"{len(content)}.svg"
        file.write_text(content)
        names |= {each.name for each in brand.files("", str(file))}

    assert len(names) == 2


def test_without_a_brand_there_is_nothing_of_it(client):
    assert client.get(f"/brand/{brand.stylesheet('#7a1f3d').name}").status_code == 404
