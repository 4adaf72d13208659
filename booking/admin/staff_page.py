"""Our own pages of the admin: rendered in its frame, open by permission."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# Logged-in staff without the permission get 403, not the login form.
needs = partial(permission_required, raise_exception=True)


def render_staff_page(
    request: HttpRequest, name: str, *, title: str, **context: Any
) -> HttpResponse:
    frame = admin.site.each_context(request)
    return render(request, f"admin/booking/{name}.html", {**frame, "title": title, **context})
