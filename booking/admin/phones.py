"""Whole phones are for those with the permission; the others see enough to tell two apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import phonenumbers
from django.http import HttpRequest
from phonenumber_field.phonenumber import PhoneNumber

from booking import wording
from booking.redaction import without_secrets

REGION = "RU"
MASKED = {"phone": "masked_phone"}


def may_see_whole(request: HttpRequest) -> bool:
    return request.user.has_perm("booking.view_whole_phone")


def mask_columns(request: HttpRequest, names: Iterable[Any]) -> list[Any]:
    """The columns or fields, with the masked phone where the whole one is not for this user."""
    if may_see_whole(request):
        return [*names]
    return [MASKED.get(name, name) for name in names]


def read(text: str) -> PhoneNumber | None:
    """The phone that a text spells, in whatever way people here do; None if it spells none."""
    try:
        phone = PhoneNumber.from_string(text, region=REGION)
    except phonenumbers.NumberParseException:
        return None
    return phone if phone.is_valid() else None


def spelled_in(text: str) -> dict[str, PhoneNumber]:
    """Every phone in it, by its spelling: whatever the search would take for one, and more."""
    found = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(text, REGION)]
    phones = {spelled: read(spelled) for spelled in (*found, text, *text.split())}
    return {spelled: phone for spelled, phone in phones.items() if phone}


def masked_in(text: str) -> str:
    text = text.replace("\0", "")  # which PostgreSQL keeps in no JSON
    for spelled, phone in spelled_in(text).items():
        text = text.replace(spelled, wording.masked_phone(phone))
    return without_secrets(text)


def in_a_table(phone: PhoneNumber, *, whole: bool) -> str:
    """Without a plus in front, which a spreadsheet would take for a formula."""
    if not phone:
        return ""
    if not whole:
        return wording.masked_phone(phone).lstrip("+")
    is_ours = phone.country_code == phonenumbers.country_code_for_region(REGION)
    return str(phone.as_national if is_ours else phone.as_international.lstrip("+"))
