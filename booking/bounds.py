"""How long a text from outside may be. It is cut before anything reads it.

The reader of a text may take time that grows with the square of its length, and holds the
interpreter while it does: a phone of 60,000 spaces once took 11 s, with every other page waiting.
"""

from __future__ import annotations

# A phone as people write it, with a name and an extension behind it.
PHONE = 100


def capped(text: str, most: int) -> str:
    return text[:most]
