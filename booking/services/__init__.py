"""What changes a booking. Nothing else does, but for `booking.retention`, which anonymises."""

from booking.services import booking, change_requests, settling, visit_requests, visits

__all__ = ["booking", "change_requests", "settling", "visit_requests", "visits"]
