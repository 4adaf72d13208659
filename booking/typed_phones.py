"""Reads a phone as people type it, and tells what is wrong with one that can't be read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum

import phonenumbers
from phonenumber_field.phonenumber import PhoneNumber
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberMatcher

from booking import bounds

# To be matched at the start: a search for what follows the last digit is quadratic.
UP_TO_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)
# A country's code of three digits, 998 or 375, can hardly be a mistyped number of this country;
# shorter ones can: 905 123-45-67 and two digits more is a valid number in Turkey.
SURE_CODE = 100
# Fewer are not a number with digits missing, but the beginning of one.
FEW_DIGITS = 5


class Mistake(StrEnum):
    NO_NUMBER = "no_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TWO_NUMBERS = "two_numbers"
    NO_COUNTRY = "no_country"  # 12 digits or so without a plus
    UNKNOWN_COUNTRY = "unknown_country"
    UNKNOWN_NUMBER = "unknown_number"


class PhoneError(ValueError):
    """A text that is no phone; `digits` says how many are missing or too many."""

    def __init__(self, mistake: Mistake, digits: int = 0) -> None:
        super().__init__(mistake)
        self.mistake = mistake
        self.digits = digits


def read(typed: str, region: str) -> PhoneNumber:
    """A number of the region (ISO 3166-1) in any spelling, or a foreign one. Raises PhoneError."""
    text = _plain(typed)
    for spelled in _spellings(text, region):
        if number := _valid(spelled, region):
            return number
    found = {number.raw_string for number in PhoneNumberMatcher(text, region)}
    numbers = {number for each in found if (number := _valid(each, region))}
    if len(numbers) == 1:
        return numbers.pop()
    raise _error(text, region, are_many=bool(numbers))


def _plain(typed: str) -> str:
    """Without what looks like nothing or like a space: messengers put U+202F and the like in."""
    text = unicodedata.normalize("NFKC", bounds.capped(typed, bounds.PHONE))
    text = " ".join("".join(each for each in text if unicodedata.category(each) != "Cf").split())
    number = UP_TO_LAST_DIGIT.match(text)
    return number[0] if number else ""


def _spellings(text: str, region: str) -> Iterator[str]:
    """As typed, then as it may be meant."""
    digits = _digits(text)
    yield text
    yield re.sub(r"^\s*00", "+", text)
    if "+" not in text:
        if _country_code(digits) >= SURE_CODE:
            yield f"+{digits}"
    elif (trunk := phonenumbers.ndd_prefix_for_region(region, True)) and digits.startswith(trunk):
        # "+8 900 123-45-67": the 8 of a call within Russia, where its code belongs.
        yield digits.removeprefix(trunk)


def _country_code(digits: str) -> int:
    """Of a whole number; 0 if there is no such country."""
    try:
        return phonenumbers.parse(f"+{digits}").country_code or 0
    except NumberParseException:
        return 0


def _valid(text: str, region: str) -> PhoneNumber | None:
    try:
        number = PhoneNumber.from_string(text, region=region)
    except NumberParseException:
        return None
    return number if number.is_valid() else None


def _error(text: str, region: str, *, are_many: bool) -> PhoneError:
    digits = _digits(text)
    if len(digits) < FEW_DIGITS:
        return PhoneError(Mistake.NO_NUMBER)
    if are_many or _is_two(digits, region):
        return PhoneError(Mistake.TWO_NUMBERS)
    if "+" in text and not digits.startswith(str(phonenumbers.country_code_for_region(region))):
        return _error_abroad(digits)
    usual = min(_lengths(region))
    surplus = len(_national(digits, region, usual)) - usual
    if surplus > 1 and "+" not in text:
        return PhoneError(Mistake.NO_COUNTRY)
    return _by_surplus(surplus)


def _error_abroad(digits: str) -> PhoneError:
    code = _country_code(digits)
    if not code:
        return PhoneError(Mistake.UNKNOWN_COUNTRY)
    length = len(digits) - len(str(code))
    usual = _lengths(phonenumbers.region_code_for_country_code(code))
    return _by_surplus(min((length - each for each in usual), key=abs, default=0))


def _by_surplus(surplus: int) -> PhoneError:
    if surplus == 0:
        return PhoneError(Mistake.UNKNOWN_NUMBER)
    return PhoneError(Mistake.TOO_SHORT if surplus < 0 else Mistake.TOO_LONG, abs(surplus))


def _is_two(digits: str, region: str) -> bool:
    """Whether both halves are numbers: two in one line, with nothing between them."""
    middle = len(digits) // 2
    return all(_valid(half, region) for half in (digits[:middle], digits[middle:]))


def _national(digits: str, region: str, usual: int) -> str:
    """Without the country's code, or the 8 that is dialled within the country."""
    trunk = phonenumbers.ndd_prefix_for_region(region, True)
    for prefix in (str(phonenumbers.country_code_for_region(region)), trunk or ""):
        rest = digits.removeprefix(prefix)
        # 89 is how a mobile number begins that has lost its end; 80 begins a number of its own.
        if rest != digits and (len(digits) > usual or not rest.startswith("0")):
            return rest
    return digits


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdecimal())


def _lengths(region: str) -> tuple[int, ...]:
    """How many digits a mobile number of a region has, without the country's code."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return metadata.mobile.possible_length if metadata and metadata.mobile else ()
