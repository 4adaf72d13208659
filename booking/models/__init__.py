"""Database models. They know nothing of the CRM; only `booking.services` changes a booking."""

from booking.models.booking import HAS_VISIT, HOLDING, LIVE, Booking, Category
from booking.models.booking_event import BookingEvent
from booking.models.change_request import ChangeRequest
from booking.models.find_attempt import FindAttempt
from booking.models.house import House
from booking.models.limit_lift import LimitLift
from booking.models.login_counter import LoginCounter
from booking.models.notice import Notice
from booking.models.outcome import Outcome
from booking.models.staff_event import StaffEvent
from booking.models.visit_request import VisitRequest
from booking.models.visit_state import VisitState, in_state

__all__ = [
    "HAS_VISIT",
    "HOLDING",
    "LIVE",
    "Booking",
    "BookingEvent",
    "Category",
    "ChangeRequest",
    "FindAttempt",
    "House",
    "LimitLift",
    "LoginCounter",
    "Notice",
    "Outcome",
    "StaffEvent",
    "VisitRequest",
    "VisitState",
    "in_state",
]
