from django.urls import path, register_converter

from booking.short_keys import ShortKeyConverter
from booking.views import another, find, health, moves, receipt, site, steps, visit_requests

app_name = "booking"
register_converter(ShortKeyConverter, "short_key")

urlpatterns = [
    path("", steps.choose_flat, name="choose_flat"),
    path("time/", steps.choose_time, name="choose_time"),
    path("time/days/", steps.list_days, name="list_days"),
    path("confirm/", steps.confirm, name="confirm"),
    path("find/", find.find_booking, name="find_booking"),
    path("bookings/<uuid:key>/", receipt.show_booking, name="show_booking"),
    path("bookings/<uuid:key>/again/", receipt.book_again, name="book_again"),
    path("bookings/<uuid:key>/move/", moves.move_visit, name="move_visit"),
    path("bookings/<uuid:key>/change/", receipt.ask_for_change, name="ask_for_change"),
    path("bookings/<uuid:key>/another/", another.book_another, name="book_another"),
    path("bookings/<uuid:key>/calendar.ics", receipt.calendar, name="calendar"),
    path("requests/", visit_requests.ask_for_visit, name="ask_for_visit"),
    path("requests/<uuid:key>/", visit_requests.show_request, name="show_request"),
    path("b/<short_key:key>/", receipt.open_short_address, name="short_address"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("accessibility/", site.accessibility, name="accessibility"),
    path("brand/<str:name>", site.brand_file, name="brand"),
    path("healthz/", health.alive, name="alive"),
    path("readyz/", health.ready, name="ready"),
]
