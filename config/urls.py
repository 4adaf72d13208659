from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from booking.observability import views as observability

handler400 = "booking.middleware.error_pages.not_understood"
handler500 = "booking.middleware.error_pages.broken"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("booking.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
]
if settings.METRICS_PATH:
    urlpatterns.append(path(settings.METRICS_PATH, observability.figures, name="metrics"))
