"""Marks in markup that is drawn once for everybody, in the places of what is each reader's own.

A mark holds a random word of this process, so no text from outside can be taken for one.
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote_plus

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_WORD = secrets.token_hex(8)
_MARK = re.compile(f"\ue000{_WORD}([^\ue001]+)\ue001")
# Stands in an address for the answer in which links differ. A text that has it spoils but itself.
GAP = "\ue002"


def mark(name: str) -> str:
    return f"\ue000{_WORD}{name}\ue001"


@dataclass(frozen=True, slots=True)
class MarkedLinks:
    """Addresses that differ in one answer, with marks for what stands before it and after it."""

    name: str

    def to(self, answer: str) -> str:
        return f"{mark(self.name)}{quote_plus(answer)}{mark(f'{self.name}_end')}"

    def own(self, url: str) -> dict[str, str]:
        """What takes the places of the marks, by an address of one's own with GAP in it."""
        before, _gap, after = url.partition(quote_plus(GAP))
        return {self.name: before, f"{self.name}_end": after}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Markup cut at its marks: a text, the name of a mark, a text and so on."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, markup: str) -> Self:
        parts = _MARK.split(markup)
        # A long list has the same two marks hundreds of times.
        parts[1::2] = map(sys.intern, parts[1::2])
        return cls(tuple(parts))

    def filled(self, own: Mapping[str, str]) -> SafeString:
        """With one's own in the places of the marks, escaped unless it is markup itself.

        Raises KeyError for a mark that nothing takes the place of.
        """
        escaped = {name: conditional_escape(value) for name, value in own.items()}
        texts = list(self.parts)
        texts[1::2] = map(escaped.__getitem__, self.parts[1::2])
        return mark_safe("".join(texts))  # noqa: S308 - a template's, and what was put in is escaped
