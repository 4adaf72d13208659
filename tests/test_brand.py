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


@pytest.mark.django_db
def test_pages_wear_the_brand(client, standin, settings):
    settings.ACCENT_COLOR = "#7a1f3d"
    settings.LOGO_FILE = str(ROOT / "static" / "img" / "key.svg")
    page = client.get("/").content.decode()

    assert "/brand/7a1f3d.css" in page
    css = client.get("/brand/7a1f3d.css")
    assert b"--accent:#7a1f3d" in css.content
    assert "immutable" in css.headers["Cache-Control"]
    logo = client.get("/brand/logo")
    assert logo.headers["Content-Type"] == "image/svg+xml"
    assert logo.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
    )


def test_without_a_brand_there_is_nothing_of_it(client):
    assert client.get("/brand/7a1f3d.css").status_code == 404
    assert client.get("/brand/logo").status_code == 404
