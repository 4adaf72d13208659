from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BookingConfig(AppConfig):
    name = "booking"
    verbose_name = _("Handover bookings")

    def ready(self) -> None:
        from booking import checks  # noqa: F401 - registers the system checks
