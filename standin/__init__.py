"""The stand-in CRM: a real HTTP server with the three methods, for development and tests.

It shares no code with `booking.crm`, so that the two can disagree, and needs nothing but the
standard library. It is a guess made of public material: that a client and this server understand
each other proves that they agree, not that the real CRM behaves so.
"""

from standin.fixtures import ACCEPTED_PHONE, REFUSED_PHONE
from standin.stand_in import StandIn
from standin.switches import SwitchError

__all__ = [
    "ACCEPTED_PHONE",
    "REFUSED_PHONE",
    "StandIn",
    "SwitchError",
]
