"""What stands around a step: the header, the foot, and the links in them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from django.utils.safestring import SafeString
from django.utils.translation import get_language

from booking import context_processors, language
from booking.marks import Drawn, mark
from booking.prepared.pieces import drawn_once


def page(
    template: str,
    content: SafeString,
    ways: Mapping[str, str],
    languages: Sequence[language.Link],
    **facts: Hashable,
) -> SafeString:
    """The whole page of a step, with the links around it.

    `facts` are what its template wants to know beside the content.
    """
    own = {"content": content, **ways, **{_url_in(link): link.url for link in languages}}
    drawn = _frame(
        template,
        tuple(facts.items()),
        tuple(context_processors.everywhere().items()),
        tuple(ways),
        tuple(replace(link, url=mark(_url_in(link))) for link in languages),
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=64)
def _frame(
    template: str,
    facts: tuple[tuple[str, Hashable], ...],
    everywhere: tuple[tuple[str, Hashable], ...],
    ways: tuple[str, ...],
    languages: tuple[language.Link, ...],
    _language: str | None,
) -> Drawn:
    known = dict(facts) | dict(everywhere) | {name: mark(name) for name in ways}
    return drawn_once(template, {**known, "languages": languages, "content": mark("content")})


def _url_in(link: language.Link) -> str:
    return f"url_{link.code}"
