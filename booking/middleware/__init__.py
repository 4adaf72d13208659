"""What lies around every view: headers, compression, the limit of a crowd, pages for errors,
the count of arrivals."""

from booking.middleware.arrivals import ArrivalCount
from booking.middleware.compression import CompressedPublicPages
from booking.middleware.crowd import LoadSheddingMiddleware
from booking.middleware.error_pages import (
    CRMErrorPages,
    DatabaseAwayPage,
    NotAllowedPage,
    TooManyTriesPage,
)
from booking.middleware.headers import SafeHeaders

__all__ = [
    "ArrivalCount",
    "CRMErrorPages",
    "CompressedPublicPages",
    "DatabaseAwayPage",
    "LoadSheddingMiddleware",
    "NotAllowedPage",
    "SafeHeaders",
    "TooManyTriesPage",
]
