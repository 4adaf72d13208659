"""The developer's own colour and logo, in place of ours.

A colour must carry text: it is accepted only with the contrast of WCAG 2.2 (1.4.3, 4.5:1) on our
light ground and under white; for the dark theme it is lightened until it has that contrast there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The grounds of static/css/site.css.
PAPER = "#fbf8f1"
DARK_PAPER = "#151916"
ON_ACCENT = "#ffffff"
ON_DARK_ACCENT = "#0e1d16"
READABLE = 4.5
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}

Channels = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Palette:
    """The accent of both themes, as #rrggbb."""

    light: str
    dark: str

    def css(self) -> str:
        return (
            f":root{{--accent:{self.light};--on-accent:{ON_ACCENT}}}"
            f"@media (prefers-color-scheme:dark){{:root{{--accent:{self.dark};"
            f"--on-accent:{ON_DARK_ACCENT}}}}}"
            "@media print{:root{--accent:#000}}\n"
        )


def palette(accent: str) -> Palette:
    """Raises ValueError, with the rest of a sentence, for what is no colour or can't be read."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", accent):
        raise ValueError("must be a colour like #1e5b43")
    if min(contrast(accent, PAPER), contrast(accent, ON_ACCENT)) < READABLE:
        raise ValueError(
            f"must be darker, for text in it on {PAPER} and for white on it (contrast {READABLE}:1)"
        )
    return Palette(accent.lower(), _lightened(accent))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, 1 to 21)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _lightened(accent: str) -> str:
    for percent in range(101):
        mixed = _mixed_with_white(accent, percent / 100)
        if min(contrast(mixed, DARK_PAPER), contrast(mixed, ON_DARK_ACCENT)) >= READABLE:
            return mixed
    raise AssertionError("white itself is readable on the dark ground")


def _mixed_with_white(colour: str, share: float) -> str:
    channels = (round(255 * (c + (1 - c) * share)) for c in _channels(colour))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _luminance(colour: str) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> Channels:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
