"""What lies around every view: bounds of the input, headers, compression, the limit of a crowd,
timeouts, pages for errors, the login of staff."""

from booking.middleware.bounds import InputBoundsMiddleware
from booking.middleware.common import CommonButForWatchersMiddleware
from booking.middleware.compression import CompressedPublicPages
from booking.middleware.crowd import LoadSheddingMiddleware
from booking.middleware.database import DatabaseTimeoutMiddleware
from booking.middleware.error_pages import ErrorPagesMiddleware
from booking.middleware.headers import SafeHeaders
from booking.middleware.staff_login import StaffLoginMiddleware

__all__ = [
    "CommonButForWatchersMiddleware",
    "CompressedPublicPages",
    "DatabaseTimeoutMiddleware",
    "ErrorPagesMiddleware",
    "InputBoundsMiddleware",
    "LoadSheddingMiddleware",
    "SafeHeaders",
    "StaffLoginMiddleware",
]
