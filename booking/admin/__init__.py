"""The Django admin for staff: everything to read, and few actions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from booking.admin import (
    audit,
    changes,
    held_limits,
    houses,
    log,
    login,
    notice_log,
    visit_requests,
)

__all__ = [
    "audit",
    "changes",
    "held_limits",
    "houses",
    "log",
    "login",
    "notice_log",
    "visit_requests",
]

admin.site.site_header = _("Bookings of key handovers")
admin.site.site_title = _("Bookings of key handovers")
admin.site.index_title = _("Staff dashboard")
admin.site.login_form = login.StaffLoginForm
