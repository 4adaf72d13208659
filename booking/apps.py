from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = _("Handover bookings")

    def ready(self) -> None:
        from booking import (
            checks,  # noqa: F401 - registers the system checks
            roles,
            staff_events,
        )
        from booking.observability import error_reports

        post_migrate.connect(roles.make_groups, sender=self)
        staff_events.connect()
        error_reports.start()
