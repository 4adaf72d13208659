"""The developer's accent colour and logo.

Each replaces one file of ours, so branded pages take no further requests: the stylesheet ends with
the colours, and the logo is also the icon.

A colour must have the contrast of WCAG 2.2 (1.4.3, 4.5:1) as text on our light background and under
white text; for the dark theme it is lightened until it has it there.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders

# The backgrounds of static/css/site.css.
PAPER = "#fbf8f1"
DARK_PAPER = "#151916"
ON_ACCENT = "#ffffff"
ON_DARK_ACCENT = "#0e1d16"
READABLE = 4.5
# A first visit is 30 kB in all.
LOGO_BYTES = 10_000
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


@dataclass(frozen=True, slots=True)
class File:
    """A file cached forever: its name is a hash of its content."""

    body: bytes
    suffix: str
    content_type: str

    @property
    def name(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:12] + self.suffix


def files(accent: str, logo: str) -> list[File]:
    """The files of a brand."""
    return [*([stylesheet(accent)] if accent else []), *([picture(logo)] if logo else [])]


@lru_cache(maxsize=8)
def stylesheet(accent: str) -> File:
    """The site's stylesheet with the brand's colours appended."""
    css = Path(str(finders.find("css/site.css"))).read_bytes()
    return File(css + palette(accent).css().encode(), ".css", "text/css; charset=utf-8")


@lru_cache(maxsize=8)
def picture(logo: str) -> File:
    """Read a logo. Raises ValueError with the rest of a sentence if it is invalid or too large."""
    file = Path(logo)
    if not (file.is_file() and file.suffix in LOGO_TYPES):
        raise ValueError(f"must be a file that ends in {', '.join(LOGO_TYPES)}")
    body = file.read_bytes()
    if len(body) > LOGO_BYTES:
        raise ValueError(f"must have at most {LOGO_BYTES} bytes, it has {len(body)}")
    return File(body, file.suffix, LOGO_TYPES[file.suffix])


def palette(accent: str) -> Palette:
    """Derive both accents. Raises ValueError with the rest of a sentence for an unfit colour."""
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
