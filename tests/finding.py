"""A buyer who looks for a booking by its number and its phone."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.journey import browser

NUMBER = "А1234ВС"
PHONE = "+79001234567"


def find(number: str = NUMBER, phone: str = PHONE, client: Client | None = None) -> Any:
    return (client or browser()).post("/find/", {"number": number, "phone": phone})
