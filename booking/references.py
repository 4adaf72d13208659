"""Booking numbers: one letter, four digits, two letters, like a Russian car's plate («А1234ВС»).

Only letters that Cyrillic and Latin share, so that a number is read aloud and typed in either
alphabet; it begins with a letter, so that no spreadsheet takes it for a number. There are
12³ x 10⁴ = 17,280,000 of them.
"""

from __future__ import annotations

import secrets

LETTERS = "АВЕКМНОРСТУХ"
DIGITS = "0123456789"
SHAPE = (LETTERS, DIGITS, DIGITS, DIGITS, DIGITS, LETTERS, LETTERS)
# Longest input, with what people type or paste around a number.
LONGEST_TYPED = 40
_AS_CYRILLIC = str.maketrans("ABEKMHOPCTYX", LETTERS)
_BETWEEN = dict.fromkeys(map(ord, "№#-‐‑–— \N{NO-BREAK SPACE}\t."))
# Zero and the letter О look alike; the position decides.
_SAME_LOOK = {LETTERS: str.maketrans("0", "О"), DIGITS: str.maketrans("О", "0")}


def make() -> str:
    """Make a random number, in Cyrillic letters. It may be taken."""
    return "".join(secrets.choice(characters) for characters in SHAPE)


def parse(text: str) -> str | None:
    """Normalise a typed number; None if it can't be one."""
    if len(text) > LONGEST_TYPED:
        return None
    typed = text.translate(_BETWEEN).upper().translate(_AS_CYRILLIC)
    if len(typed) != len(SHAPE):
        return None
    read = [
        character.translate(_SAME_LOOK[characters])
        for character, characters in zip(typed, SHAPE, strict=True)
    ]
    fits = all(each in characters for each, characters in zip(read, SHAPE, strict=True))
    return "".join(read) if fits else None
