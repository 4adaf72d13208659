"""What lies around every view: headers, compression, the limit of a crowd, pages for errors."""

from booking.middleware.compression import CompressedPublicPages
from booking.middleware.crowd import Doorman
from booking.middleware.error_pages import CRMErrorPages, DatabaseAwayPage, TooManyTriesPage
from booking.middleware.headers import SafeHeaders

__all__ = [
    "CRMErrorPages",
    "CompressedPublicPages",
    "DatabaseAwayPage",
    "Doorman",
    "SafeHeaders",
    "TooManyTriesPage",
]
