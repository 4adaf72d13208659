"""Django's CommonMiddleware, which refuses unknown hosts, except for probes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

from booking.middleware.load_shedding import PROBES


class CommonExceptProbesMiddleware(CommonMiddleware):
    """Probes ask by an IP address or by the machine's name."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in PROBES:
            return None
        return super().process_request(request)
