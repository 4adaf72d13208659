"""What the fuzzing tests share: how long they try, how an example is undone, what a page may hold.

Every run of the tests tries the same examples. `FUZZ_EXAMPLES=2000 pytest tests/slow` tries as many
others; hypothesis then prints how to repeat what it finds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from hypothesis import HealthCheck, Phase, settings

from booking import calendar_links
from tests.journey import text_of

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "")

# The fixtures hold a CRM whose state no example changes, and the database is put back by `undone`.
fuzzed = settings(
    max_examples=int(EXAMPLES or 50),
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=True,
    # To make a failure small takes minutes; the long run does it.
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
# For tests that do this for each of several bookings.
fuzzed_less = settings(fuzzed, max_examples=max(1, fuzzed.max_examples // 5))


@contextmanager
def undone() -> Iterator[None]:
    """What an example writes to the database is gone after it."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


# In everything that is injected, and in no page of ours.
MARK = "zq7x"
INJECTIONS = (
    f'"><script>{MARK}()</script>',
    f"'><img src=x onerror={MARK}()>",
    f'" onfocus="{MARK}()" autofocus x="',
    f"' onmouseover='{MARK}()",
    f"</title></h1></main><{MARK}>",
    f"<!--{MARK}--><a class={MARK} href=/>",
    f"javascript:{MARK}()",
    f"data:text/html,<script>{MARK}()</script>",
    f"//{MARK}.example/",
    f"/\\{MARK}.example/",
    f"https://{MARK}.example/",
    f"{{{{ {MARK} }}}}{{% {MARK} %}}",
    f"&quot;&gt;&lt;{MARK}&gt;",
    f"x\r\nSet-Cookie: {MARK}=1\r\n\r\n<{MARK}>",
    f"＜script＞{MARK}＜/script＞",
)

# Everything that the buyer's pages are made of.
ELEMENTS = frozenset(
    re.findall(
        r"\S+",
        """
        html head meta title link script noscript body header main footer nav aside section div
        h1 h2 h3 h4 p a span b br blockquote ul li dl dt dd details summary
        form fieldset legend label input textarea button img svg circle path
        """,
    )
)
ATTRIBUTES = frozenset(
    re.findall(
        r"\S+",
        """
        lang hreflang charset name content rel href type src alt class id tabindex role for value
        action formaction method novalidate autocomplete autocapitalize spellcheck inputmode
        enterkeyhint maxlength checked autofocus rows cols open http-equiv hidden viewbox cx cy r d
        """,
    )
)
# Where an answer may stand again.
ECHOING = frozenset({"value", "href", "action"})
LINKS = ("href", "src", "action", "formaction", "poster", "data", "srcset")


class Page(HTMLParser):
    """Reads a page and notes what an injection would have made."""

    def __init__(self, html: str, *, elements: frozenset[str], attributes: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.wrongs: list[str] = []
        self._elements = elements
        self._attributes = attributes
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        if MARK in tag or (self._elements and tag not in self._elements):
            self.wrongs.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and (MARK in data or (self._elements and data.strip())):
            self.wrongs.append(f"script: {data}")

    def handle_comment(self, data: str) -> None:
        if self._elements or MARK in data:
            self.wrongs.append(f"<!--{data}-->")

    def unknown_decl(self, data: str) -> None:
        self.wrongs.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.wrongs.append(f"<?{data}>")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        is_ours = name in self._attributes or name.startswith(("aria-", "data-"))
        if MARK in name or (self._attributes and not is_ours):
            self.wrongs.append(f"<{tag} {name}>")
        if MARK in value and name not in ECHOING:
            self.wrongs.append(f'<{tag} {name}="{value}">')
        if name in LINKS and not stays_here(value):
            self.wrongs.append(f'<{tag} {name}="{value}">')


# The places that the settings name, and the site's own front page by its whole address. Beside them
# a page leads to calendars on the web.
KNOWN = {"https://example.test/privacy", "tel:+73430000000", "http://testserver/"}


def stays_here(url: str) -> bool:
    """Whether a link leads into the site, or to a place that is known."""
    if url in KNOWN or url.startswith((calendar_links.GOOGLE, calendar_links.OUTLOOK)):
        return True
    return re.match(r"(?:/(?![/\\])|\?|#|\./)", url) is not None


# As long as all answers and the source can get, each character of four bytes.
LONGEST_URL = 64 * 12 * 6 + 200 * 12 * 6 + 300


def assert_sound(response: Any) -> None:
    """No bug of ours, nothing of the input come alive, and no way off the site."""
    assert response.status_code < 500 or response.status_code == 503
    assert MARK not in str(response.headers).replace(response.headers.get("Location", ""), "")
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    if "Location" in response.headers:
        assert_leads_on(response.headers["Location"])
    if response.headers.get("Content-Type", "").startswith("text/html"):
        page = Page(text_of(response), elements=ELEMENTS, attributes=ATTRIBUTES)
        assert page.wrongs == [], page.wrongs


def assert_leads_on(location: str) -> None:
    """A redirect stays on the site, in a header of bounded length."""
    parts = urlsplit(location)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert re.match(r"/(?![/\\])", location)
    assert len(location) <= LONGEST_URL
    assert location.isascii()
    assert location.isprintable()
