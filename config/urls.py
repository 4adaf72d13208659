from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from booking.watch import views as watch

handler400 = "booking.middleware.error_pages.not_understood"
handler500 = "booking.middleware.error_pages.broken"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("booking.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
]
if settings.METRICS_PATH:
    urlpatterns.append(path(settings.METRICS_PATH, watch.figures, name="metrics"))
