"""Compress public pages only (docs/decisions/0006-compress-public-pages.md)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Views whose pages may be long, hold no secret, and are the same for all visitors.
PUBLIC = {"booking:choose_flat", "booking:choose_time", "booking:list_days", "booking:brand"}


class PublicPagesGZipMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        match = request.resolver_match
        if match and match.view_name in PUBLIC:
            return super().process_response(request, response)
        return response
