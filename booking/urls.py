from django.urls import path

from booking import health, views

app_name = "booking"

urlpatterns = [
    path("", views.choose_flat, name="choose_flat"),
    path("time/", views.choose_time, name="choose_time"),
    path("confirm/", views.confirm, name="confirm"),
    path("bookings/<uuid:key>/", views.show_booking, name="show_booking"),
    path("bookings/<uuid:key>/again/", views.book_again, name="book_again"),
    path("healthz/", health.alive, name="alive"),
    path("readyz/", health.ready, name="ready"),
]
