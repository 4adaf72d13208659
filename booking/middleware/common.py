"""Django's CommonMiddleware, which refuses hosts that are not ours, for all but watchers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

from booking.middleware.load_shedding import PROBES


class CommonExceptProbesMiddleware(CommonMiddleware):
    """Who watches the site asks by an IP address, or by a name of the machine."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in PROBES:
            return None
        return super().process_request(request)
