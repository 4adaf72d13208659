"""Takes a picture of every state; `make screens` runs it. No test: there is nothing to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.states import in_every_state

pytestmark = [pytest.mark.browser, in_every_state]

FOLDER = "SCREENS"  # the environment's variable
WIDTHS = (320, 360, 768, 1280)
SCHEMES = ("light", "dark")
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
SIZES = [(width, scheme) for scheme in SCHEMES for width in WIDTHS]


def test_take_pictures(state, buyer, standin, settings):
    state(buyer, standin, settings)
    for width, scheme in SIZES:
        buyer.page.set_viewport_size({"width": width, "height": 720})
        buyer.page.emulate_media(color_scheme=scheme)
        # Until the new size is drawn; a picture was half blank once.
        buyer.page.evaluate(TWO_FRAMES)
        buyer.page.screenshot(path=folder() / picture(state, width, scheme), full_page=True)


def picture(state, width, scheme):
    return f"{state.__name__}-{width}-{scheme}.png"


def folder():
    return Path(os.environ[FOLDER])
