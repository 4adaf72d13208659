"""Bar charts as SVG shapes in whole numbers, for templates. Knows nothing of bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

# In SVG units, which the page scales.
WIDTH = 720
ROW, THICKNESS, LABELS = 26, 18, 200
COLUMNS_HEIGHT, FOOT = 200, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled bar and its parts as (kind, count), in drawing order."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        return sum(count for _kind, count in self.parts)


@dataclass(frozen=True, slots=True)
class Rect:
    kind: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Text:
    x: int
    y: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    rects: list[Rect]
    texts: list[Text]


def rows(bars: Sequence[Bar]) -> Drawing:
    """A chart of horizontal bars: label, bar, count."""
    room = WIDTH - LABELS - 60
    most = _most(bars)
    rects, texts = [], []
    for number, bar in enumerate(bars):
        top = number * ROW
        base = top + THICKNESS - 4
        for kind, start, end in _ends(bar, room, most):
            rects.append(Rect(kind, LABELS + start, top, end - start, THICKNESS))
        texts.append(Text(LABELS - 8, base, "end", _short(bar.label)))
        texts.append(Text(LABELS + room * bar.total // most + 6, base, "start", str(bar.total)))
    return Drawing(WIDTH, max(ROW * len(bars), 1), rects, texts)


def columns(bars: Sequence[Bar]) -> Drawing:
    """A chart of vertical bars, with labels at the first, the last and the highest."""
    most = _most(bars)
    step = WIDTH / max(len(bars), 1)
    rects = [
        Rect(
            kind,
            round(number * step),
            14 + COLUMNS_HEIGHT - end,
            max(round(step) - 2, 1),
            end - start,
        )
        for number, bar in enumerate(bars)
        for kind, start, end in _ends(bar, COLUMNS_HEIGHT, most)
    ]
    texts = [Text(0, 10, "start", str(most))]
    if bars:
        foot = COLUMNS_HEIGHT + 14 + 16
        texts.append(Text(0, foot, "start", bars[0].label))
        texts.append(Text(WIDTH, foot, "end", bars[-1].label))
    return Drawing(WIDTH, COLUMNS_HEIGHT + 14 + FOOT, rects, texts)


def _ends(bar: Bar, room: int, most: int) -> list[tuple[str, int, int]]:
    """Start and end of each visible part."""
    sums = [room * count // most for count in accumulate(count for _kind, count in bar.parts)]
    starts = [0, *sums]
    return [
        (kind, start, end)
        for (kind, _count), start, end in zip(bar.parts, starts, sums, strict=False)
        if end > start
    ]


def _most(bars: Sequence[Bar]) -> int:
    return max((bar.total for bar in bars), default=0) or 1


def _short(label: str) -> str:
    return label if len(label) <= 28 else f"{label[:27]}…"
