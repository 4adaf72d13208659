"""Middleware: input bounds, headers, compression, load shedding, timeouts, error pages, logins."""

from booking.middleware.bounds import InputBoundsMiddleware
from booking.middleware.common import CommonExceptProbesMiddleware
from booking.middleware.compression import PublicPagesGZipMiddleware
from booking.middleware.database import DatabaseTimeoutMiddleware
from booking.middleware.error_pages import ErrorPagesMiddleware
from booking.middleware.headers import SecurityHeadersMiddleware
from booking.middleware.load_shedding import LoadSheddingMiddleware
from booking.middleware.staff_login import StaffLoginMiddleware

__all__ = [
    "CommonExceptProbesMiddleware",
    "DatabaseTimeoutMiddleware",
    "ErrorPagesMiddleware",
    "InputBoundsMiddleware",
    "LoadSheddingMiddleware",
    "PublicPagesGZipMiddleware",
    "SecurityHeadersMiddleware",
    "StaffLoginMiddleware",
]
