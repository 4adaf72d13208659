"""The rule for machines without a browser; needs none itself."""

from __future__ import annotations

import sys

import pytest

from tests.browser import chromium


def test_the_named_browser_is_taken():
    assert chromium.executable({"CHROMIUM": sys.executable}) == sys.executable


def test_without_a_browser_the_tests_are_skipped_with_the_reason():
    with pytest.raises(pytest.skip.Exception, match=r"No Chromium at /nowhere"):
        chromium.executable({"CHROMIUM": "/nowhere"})


def test_in_ci_a_missing_browser_fails():
    with pytest.raises(pytest.fail.Exception, match=r"No Chromium at /nowhere"):
        chromium.executable({"CHROMIUM": "/nowhere", "CI": "true"})
