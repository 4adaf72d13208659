"""Show whole phones with the permission, else masked ones that can be told apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import phonenumbers
from django.conf import settings
from django.http import HttpRequest
from phonenumber_field.phonenumber import PhoneNumber

from booking import wording
from booking.redaction import without_secrets

MASKED = {"phone": "masked_phone"}


def may_see_whole(request: HttpRequest) -> bool:
    return request.user.has_perm("booking.view_whole_phone")


def mask_columns(request: HttpRequest, names: Iterable[Any]) -> list[Any]:
    """Replace `phone` by the masked phone in columns or fields, without the permission."""
    if may_see_whole(request):
        return [*names]
    return [MASKED.get(name, name) for name in names]


def read(text: str) -> PhoneNumber | None:
    """Parse a phone in any local spelling; None if the text is none."""
    try:
        phone = PhoneNumber.from_string(text, region=settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None
    return phone if phone.is_valid() else None


def spelled_in(text: str) -> dict[str, PhoneNumber]:
    """Find all phones in a text, by spelling: at least those that the search would recognise."""
    found = phonenumbers.PhoneNumberMatcher(text, settings.PHONE_REGION)
    spellings = (*(match.raw_string for match in found), text, *text.split())
    phones = {spelled: read(spelled) for spelled in spellings}
    return {spelled: phone for spelled, phone in phones.items() if phone}


def masked_in(text: str) -> str:
    text = text.replace("\0", "")  # which PostgreSQL keeps in no JSON
    for spelled, phone in spelled_in(text).items():
        text = text.replace(spelled, wording.masked_phone(phone))
    return without_secrets(text)


def in_a_table(phone: PhoneNumber, *, whole: bool) -> str:
    """Format a phone without the leading plus, which spreadsheets take for a formula."""
    if not phone:
        return ""
    if not whole:
        return wording.masked_phone(phone).lstrip("+")
    ours = phonenumbers.country_code_for_region(settings.PHONE_REGION)
    is_ours = phone.country_code == ours
    return str(phone.as_national if is_ours else phone.as_international.lstrip("+"))
