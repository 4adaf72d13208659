"""MacroCRM's handover API. Everybody imports from here; nothing in here knows Django."""

from booking.crm.client import CRMClient, trusted_roots
from booking.crm.errors import (
    CRMBusy,
    CRMError,
    CRMMisconfigured,
    CRMRefused,
    CRMUnavailable,
    CRMUnreadable,
    CRMUnsigned,
)
from booking.crm.signing import other_spelling
from booking.crm.types import (
    AddOutcome,
    AddReply,
    CallReport,
    CRMConfig,
    Flat,
    FreeTimes,
    ReadyFlats,
    ReadyHouse,
    Reason,
    Visit,
)

__all__ = [
    "AddOutcome",
    "AddReply",
    "CRMBusy",
    "CRMClient",
    "CRMConfig",
    "CRMError",
    "CRMMisconfigured",
    "CRMRefused",
    "CRMUnavailable",
    "CRMUnreadable",
    "CRMUnsigned",
    "CallReport",
    "Flat",
    "FreeTimes",
    "ReadyFlats",
    "ReadyHouse",
    "Reason",
    "Visit",
    "other_spelling",
    "trusted_roots",
]
