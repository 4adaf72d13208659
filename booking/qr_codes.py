"""QR codes as data of an inline SVG image: pages load nothing for them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

# In modules, on each side (ISO/IEC 18004).
QUIET_ZONE = 4


@dataclass(frozen=True, slots=True)
class QRCode:
    """`path` draws the dark modules as strokes, one module wide, in a square of `size` modules."""

    size: int
    path: str


def draw(text: str) -> QRCode:
    rows = segno.make_qr(text, error="m").matrix
    strokes = []
    for y, row in enumerate(rows, start=QUIET_ZONE):
        x = QUIET_ZONE
        for is_dark, run in groupby(row):
            length = len(list(run))
            if is_dark:
                strokes.append(f"M{x} {y}.5h{length}")
            x += length
    return QRCode(len(rows) + 2 * QUIET_ZONE, "".join(strokes))
