"""What changes a booking. Nothing else does, but for `booking.retention`, which anonymises."""

from booking.services import booking, requests, settling, visit_requests, visits

__all__ = ["booking", "requests", "settling", "visit_requests", "visits"]
