"""The panel at the top of the admin's front page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from booking import crm_refusal
from booking.admin import held_limits, queue
from booking.models import Notice

register = template.Library()


@register.inclusion_tag("admin/booking/staff_dashboard.html", takes_context=True)
def staff_dashboard(context: Context) -> dict[str, Any]:
    """Counts for the dashboard's cards; None or 0 without the permission."""
    user = context["request"].user
    may_see_notices = user.has_perm("booking.view_notice")
    return {
        "counts": queue.counts() if user.has_perm("booking.view_booking") else None,
        "refused_since": crm_refusal.since(),
        "held_limits": len(held_limits.holding()) if user.has_perm("booking.lift_limit") else 0,
        "failing_notices": Notice.objects.failing().count() if may_see_notices else 0,
    }
