"""Client of MacroCRM's handover API, without Django. Import from the package itself."""

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
    AddRequest,
    CallReport,
    CRMConfig,
    FreeTimes,
    ListedFlat,
    ListedHouse,
    ReadyFlats,
    Reason,
)

__all__ = [
    "AddOutcome",
    "AddReply",
    "AddRequest",
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
    "FreeTimes",
    "ListedFlat",
    "ListedHouse",
    "ReadyFlats",
    "Reason",
    "other_spelling",
    "trusted_roots",
]
