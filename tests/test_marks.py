"""Markup that is drawn once and filled with each reader's own."""

from html import unescape
from urllib.parse import quote_plus

import pytest
from django.utils.safestring import mark_safe

from booking.marks import GAP, Drawn, MarkedLinks, mark


def test_what_is_ones_own_takes_the_place_of_its_mark_escaped():
    drawn = Drawn.of(f"<p>{mark('name')}, {mark('name')}</p>")

    assert drawn.filled({"name": "<b>&'"}) == "<p>&lt;b&gt;&amp;&#x27;, &lt;b&gt;&amp;&#x27;</p>"


def test_markup_stays_markup():
    assert Drawn.of(mark("field")).filled({"field": mark_safe("<input>")}) == "<input>"


def test_a_mark_that_nothing_takes_the_place_of_is_an_error():
    with pytest.raises(KeyError, match="other"):
        Drawn.of(f"{mark('name')}{mark('other')}").filled({"name": "x"})


def test_a_mark_may_have_any_name():
    assert Drawn.of(f"<a lang='pt-br' href='{mark('url_pt-br')}'>").filled({"url_pt-br": "/x"}) == (
        "<a lang='pt-br' href='/x'>"
    )


def test_a_text_cannot_pass_for_a_mark():
    imitation = "\ue000name\ue001"

    filled = Drawn.of(f"{imitation} {mark('name')}").filled({"name": mark("secret"), "secret": "!"})

    assert filled.startswith(imitation)
    # What was filled in is not filled again.
    assert "!" not in filled


def test_links_that_differ_in_one_answer():
    links = MarkedLinks("day")
    own = links.own(f"/time/?flat=1%262&date={quote_plus(GAP)}&ref=x")

    filled = Drawn.of(f"{links.to('2026-12-01')} {links.to('a b&c')}").filled(own)

    first, second = unescape(filled).split()
    assert first == "/time/?flat=1%262&date=2026-12-01&ref=x"
    assert second == "/time/?flat=1%262&date=a+b%26c&ref=x"
