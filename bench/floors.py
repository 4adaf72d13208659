"""What a page of a size costs at least here: the same gunicorn, middleware and, for A, base."""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

LINE = "<p>ключ</p>\n"
LINE_BYTES = len(LINE.encode())


@never_cache
@require_safe
def on_our_base(request: HttpRequest, size: int) -> HttpResponse:
    """Floor A: a template on the site's base, whose content is there already: `size` bytes."""
    # The base as the steps have it here: with the banner that says that the CRM is a stand-in.
    return render(request, "bench/floor.html", {"content": _content(size), "stand_in": True})


@never_cache
@require_safe
def constant(request: HttpRequest, size: int) -> HttpResponse:
    """Floor B: a response of `size` bytes, with nothing to do."""
    return HttpResponse(_content(size))


@lru_cache(maxsize=64)
def _content(size: int) -> SafeString:
    lines, rest = divmod(size, LINE_BYTES)
    return mark_safe(LINE * lines + " " * rest)
