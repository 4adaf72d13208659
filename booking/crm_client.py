"""The CRM client of this process, built from the settings."""

from functools import lru_cache

from django.conf import settings

from booking import crm_budget, crm_refusal
from booking.crm import CallReport, CRMClient, CRMConfig
from booking.observability.crm_calls import record_crm_call


def crm_client() -> CRMClient:
    """Return the client of this configuration, which keeps a connection for each thread."""
    return _client(crm_config())


def crm_config() -> CRMConfig:
    return CRMConfig(
        base_url=settings.MACROCRM_URL,
        domain=settings.MACROCRM_DOMAIN,
        secret=settings.MACROCRM_APP_SECRET,
        method=settings.MACROCRM_METHOD,
        connect_timeout=settings.MACROCRM_CONNECT_TIMEOUT,
        read_timeout=settings.MACROCRM_READ_TIMEOUT,
    )


@lru_cache(maxsize=4)
def _client(config: CRMConfig) -> CRMClient:
    return CRMClient(config, on_call=_note)


def _note(report: CallReport) -> None:
    record_crm_call(report)
    crm_refusal.note(report)
    crm_budget.note(report)
