from django.urls import include, path

from bench import floors

urlpatterns = [
    path("floor/template/<int:size>/", floors.on_our_base, name="floor_template"),
    path("floor/constant/<int:size>/", floors.constant, name="floor_constant"),
    path("", include("config.urls")),
]
