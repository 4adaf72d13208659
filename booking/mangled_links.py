"""Read the query of a link mangled by a newsletter, a messenger or a redirect.

Pure: it knows no houses or flats. It returns possible readings, the literal one first, and the
caller takes the first that exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote_plus, unquote_to_bytes

Fields = dict[str, str]

# Characters that end a sentence, enclose a link or mark it up, and that programs add to links.
PUNCTUATION = ".,;:!?()[]{}<>«»\"'“”„‘’…*_~`/"
# Another URL appended to the value.
ADDRESS = re.compile(r"https?://.*", re.DOTALL)
# Another query appended to it; before our own names it may be encoded.
GLUED = r"[?;](?=[a-z_]{1,40}=)"
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\r\n"))
ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# Programs that pass a link on may each encode it once more.
MOST_DECODINGS = 3


def readings(query: str, names: Iterable[str]) -> list[Fields]:
    """Return possible readings of the known names in a query, the literal one first.

    `query` is as WSGI has it: bytes as Latin-1, at most 8,190 of them.
    """
    pairs = _pairs(query, set(names))
    literal = {name: _text(value, "utf-8") for name, value in pairs}
    found = [literal]
    if any("\N{REPLACEMENT CHARACTER}" in value for value in literal.values()):
        # Old programs encode in the code page of Russian Windows, which UTF-8 cannot be.
        found.append({name: _text(value, "cp1251") for name, value in pairs})
    found.append(_each(found[-1], _decoded_again))
    found.append(_each(found[-1], _alone))
    return [each for place, each in enumerate(found) if each not in found[:place]]


def _pairs(query: str, names: set[str]) -> list[tuple[str, str]]:
    """Split a query into known names, in any case, and values, still encoded.

    The separator is "&", a mangled form of it, or the start of an appended query.
    """
    for _decoding in range(MOST_DECODINGS):
        if "=" in query:
            break
        # The whole query was encoded like a value.
        query = ENCODED.sub(lambda found: _text(found[0], "latin-1"), query)
    known = "|".join(map(re.escape, names))
    encoded = rf"(?:%(?:26|3F|3B)|\\u0026)(?=(?:{known})(?:=|%3D))"
    parts = re.split(rf"&(?:amp;)*|{GLUED}|{encoded}", query, flags=re.IGNORECASE)
    split = (re.split("=|%3[Dd]", part.strip("? "), maxsplit=1) for part in parts)
    named = ((_name(name), "".join(value)) for name, *value in split)
    # Ignore an empty repetition.
    return [(name, value) for name, value in named if name in names and value]


def _name(text: str) -> str:
    return unquote_plus(text).translate(INVISIBLE).strip().lower()


def _text(value: str, encoding: str) -> str:
    octets = unquote_to_bytes(value.replace("+", " ").encode("latin-1", "replace"))
    return octets.decode(encoding, "replace")


def _decoded_again(value: str) -> str:
    """Undo what a mail or a second encoding added: %2520, "=3D", invisible characters."""
    for _decoding in range(MOST_DECODINGS):
        if not ENCODED.search(value):
            break
        value = _text(value.encode().decode("latin-1"), "utf-8")
    return value.translate(INVISIBLE).removeprefix("3D").strip()


def _alone(value: str) -> str:
    """Strip the punctuation around the link and any appended URL."""
    return ADDRESS.sub("", value).strip(PUNCTUATION + " ")


def _each(fields: Fields, mend: Callable[[str], str]) -> Fields:
    return {name: mend(value) for name, value in fields.items()}
