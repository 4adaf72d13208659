"""The HTML checker itself, and the rule for machines without it."""

from __future__ import annotations

import pytest

from tests.browser import nu


@pytest.mark.browser
def test_it_finds_mistakes(html_checker):
    page = '<!doctype html><html lang="en"><title>A page</title><p id="one"></p><p id="one"></p>'

    assert any("Duplicate ID" in finding for finding in html_checker.findings(page))


@pytest.fixture
def no_checker(monkeypatch, tmp_path):
    monkeypatch.setattr(nu, "JAR", tmp_path / "vnu.jar")


def test_without_it_the_tests_are_skipped_with_the_reason(no_checker):
    with pytest.raises(pytest.skip.Exception, match="make html-checker"), nu.running({}):
        pytest.fail("it runs")


def test_in_ci_its_absence_fails(no_checker):
    with (
        pytest.raises(pytest.fail.Exception, match="make html-checker"),
        nu.running({"CI": "true"}),
    ):
        pytest.fail("it runs")
