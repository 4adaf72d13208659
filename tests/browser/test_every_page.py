"""What holds for every state of every page: anybody can use it, on any screen."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.states import in_every_state

pytestmark = [pytest.mark.browser, in_every_state]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
EVERY_RULE = {
    "runOnly": {"type": "tag", "values": RULES},
    # Not run by its tag alone.
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
# All that a colour scheme changes.
CONTRAST = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
SMALLEST_PHONE = {"width": 320, "height": 568}
SCREEN = {"width": 1280, "height": 800}
# The site's own size, and twice that.
TEXT_SIZES = ("112.5%", "225%")


def test_anybody_can_use_it(state, buyer, standin, settings, html_checker):
    documents = []
    buyer.page.on(
        "response",
        lambda reply: documents.append(reply) if reply.request.is_navigation_request() else None,
    )
    state(buyer, standin, settings)
    # As it was sent; what the browser makes of it is always well-formed.
    assert html_checker.findings(documents[-1].text()) == []
    # Evaluated, since the site's policy lets no script be added to a page.
    buyer.page.evaluate(AXE_SCRIPT)

    assert axe_findings(buyer.page, EVERY_RULE) == []
    assert names_without_what_is_seen(buyer.page) == []
    assert small_targets(buyer.page) == []
    if buyer.page.locator(".days").count():
        # A week is laid out anew there.
        buyer.page.set_viewport_size(SCREEN)
        assert axe_findings(buyer.page, EVERY_RULE) == []
    buyer.page.emulate_media(color_scheme="dark")
    assert axe_findings(buyer.page, CONTRAST) == []
    buyer.page.set_viewport_size(SMALLEST_PHONE)
    assert {size: overhang(buyer.page, size) for size in TEXT_SIZES} == dict.fromkeys(TEXT_SIZES, 0)


def axe_findings(page: Page, options: dict[str, Any]) -> list[str]:
    found = page.evaluate("options => axe.run(options).then(result => result.violations)", options)
    return [
        f"{finding['id']}: {node['html']} {node['failureSummary']}"
        for finding in found
        for node in finding["nodes"]
    ]


def names_without_what_is_seen(page: Page) -> list[str]:
    """Links and buttons that don't answer to their text (WCAG 2.5.3, which axe does not run)."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('a[aria-label], button[aria-label]')]
          .filter(each => !each.ariaLabel.includes(each.innerText.trim()))
          .map(each => each.outerHTML)"""
    )
    return found


def small_targets(page: Page) -> list[str]:
    """What is hard to hit with a finger: lower than 44 px, and no link within a sentence."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('a, button, summary, input, textarea')]
          .filter(each => each.checkVisibility())
          .map(each => each.closest('label') ?? each)
          .filter(each => each.getBoundingClientRect().height < 43.5)
          .filter(each => getComputedStyle(each).display !== 'inline'
            || each.parentElement.textContent.trim() === each.textContent.trim())
          .map(each => `${each.getBoundingClientRect().height}: ${each.outerHTML}`)"""
    )
    return found


def overhang(page: Page, text_size: str) -> int:
    """By how many CSS pixels the page is wider than its window, with text of this size."""
    return int(
        page.evaluate(
            """size => {
              const root = document.documentElement;
              root.style.fontSize = size;
              return root.scrollWidth - root.clientWidth;
            }""",
            text_size,
        )
    )
