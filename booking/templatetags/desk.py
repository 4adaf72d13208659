"""The panel at the top of the admin's front page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from booking.admin import queue

register = template.Library()


@register.inclusion_tag("admin/booking/desk.html", takes_context=True)
def desk(context: Context) -> dict[str, Any]:
    """What needs a look, and the way to each page of the desk; nothing for who may not see it."""
    may_see = context["request"].user.has_perm("booking.view_booking")
    return {"counts": queue.counts() if may_see else None}
