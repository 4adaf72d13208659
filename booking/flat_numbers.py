"""Compare object numbers as people read and type them. The CRM always gets the listed string."""

from __future__ import annotations

import re
import unicodedata

# Letters that look alike in both alphabets, Latin -> Cyrillic.
_LOOK_ALIKES = str.maketrans("abcehkmoptxy", "авсенкмортху")
_DASHES = re.compile(r"[‐‑‒–—−﹘﹣－-]+")
# Invisible characters, such as soft hyphens, that are copied along.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_SEPARATORS = re.compile(r"[\s.,/\\-]+")
# A dot may be part of a section's name, as in «1.8-12-1».
_BETWEEN_PARTS = re.compile(r"[-/]")
_SIGNS = re.compile(r"[.,/\\-]")
_BESIDE_LETTER = re.compile(r"(?<=\d)-(?=\D)|(?<=\D)-(?=\d)")
# Kinds that buyers write before a number.
_KIND = re.compile(
    r"^(?:(?:квартира|кв|машино-?место|м/м|мм|место|парковка|кладовая|кладовка|помещение|пом)"
    r"(?:[.\s№#]+|(?=\d))|[№#]\s*)"
)


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """Sort key with 2 before 10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in re.findall(r"\d+|\D+", text)
    ]


def folded(number: str) -> str:
    """Normalise case, look-alikes, spaces, dashes and a leading «кв.»."""
    text = _DASHES.sub("-", _INVISIBLE.sub("", number).casefold().strip())
    text = unicodedata.normalize("NFKC", _KIND.sub("", text))
    # Between digits a space may stand for a dash: "1 12" is not 112.
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    return re.sub(r"\s+", " ", text).translate(_LOOK_ALIKES)


def skeleton(number: str) -> str:
    """The folded form with one kind of separator, and none beside a letter.

    "1,8 12/1" is «1.8-12-1», "К 7" is «К-7».
    """
    text = _SEPARATORS.sub("-", folded(number)).strip("-")
    return _BESIDE_LETTER.sub("", text)


def may_mean(typed: str, number: str) -> bool:
    """Whether a number contains what was typed, by its `skeleton`; the script has the same rule.

    Where none is typed but spaces, separators do not count: "112" may mean «1-12» and «11-2».
    """
    wanted, whole = skeleton(typed), skeleton(number)
    if not wanted or wanted in whole:
        return bool(wanted)
    is_loose = not _SIGNS.search(folded(typed))
    return is_loose and wanted.replace("-", "") in whole.replace("-", "")


def common_beginning(number: str, parts: int) -> str:
    """The first parts of a number, such as its section and floor; "" if it has no more."""
    ends = [sign.start() for sign in _BETWEEN_PARTS.finditer(number)]
    return number[: ends[parts - 1]] if len(ends) >= parts else ""
