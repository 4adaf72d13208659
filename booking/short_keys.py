"""Keys of bookings in 22 characters, for addresses that are printed or sent as a message."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode


class ShortKeyConverter:
    """A UUID in the URL-safe alphabet of base64 (RFC 4648) without its padding."""

    regex = "[A-Za-z0-9_-]{22}"

    def to_python(self, text: str) -> uuid.UUID:
        key = uuid.UUID(bytes=urlsafe_b64decode(f"{text}=="))
        # 22 characters hold 4 bits more than a key: one key has one address.
        if self.to_url(key) != text:
            raise ValueError(text)
        return key

    def to_url(self, key: uuid.UUID) -> str:
        return urlsafe_b64encode(key.bytes).rstrip(b"=").decode()
