"""What happens when more people come than can be served.

Each page holds a thread, most of its time waiting for the CRM or the database. Without a limit the
pages beyond would wait for a thread, in a queue that nobody sees and that grows for as long as the
crowd does; every page would be late, those of people who have long gone included. So there are more
threads (gunicorn.conf.py) than pages at once: some for a short line, the rest to tell everybody
else at once, in words, to come again in a moment, and to answer whoever watches the site. Staff
have places of their own, few, so that neither they nor the buyers can shut the others out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from booking.context_processors import essentials
from booking.watch import metrics

# For each process. Together fewer than the threads of a worker.
PAGES_AT_ONCE = 20
LINE = 10
# The admin and the figures.
STAFF_AT_ONCE = 6
# Seconds that one waits in the line; for most, a page that is not waiting itself ends much sooner.
PATIENCE = 1.0
# Seconds after which the browser is to try again by itself.
COME_AGAIN = 5

WATCHERS = {"/healthz/", "/readyz/"}


class Room:
    """Has places for so many, and a line in which a few more wait for a moment."""

    def __init__(self, places: int, line: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._line = threading.BoundedSemaphore(line)

    def lets_in(self) -> bool:
        if self._places.acquire(blocking=False):
            return True
        if not self._line.acquire(blocking=False):
            return False
        try:
            return self._places.acquire(timeout=PATIENCE)
        finally:
            self._line.release()

    def let_out(self) -> None:
        self._places.release()


class Doorman:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._pages = Room(PAGES_AT_ONCE, LINE)
        self._desk = Room(STAFF_AT_ONCE, line=0)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in WATCHERS:
            return self.get_response(request)
        room = self._desk if _is_for_staff(request.path_info) else self._pages
        if not room.lets_in():
            metrics.TURNED_AWAY.inc()
            return _come_again(request)
        try:
            return self.get_response(request)
        finally:
            room.let_out()


def _is_for_staff(path: str) -> bool:
    figures = settings.METRICS_PATH and path == f"/{settings.METRICS_PATH}"
    return bool(figures) or path.startswith(f"/{settings.ADMIN_PATH}")


def _come_again(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(COME_AGAIN)}
    if request.method in {"GET", "HEAD"}:
        headers["Refresh"] = headers["Retry-After"]
    page = render_to_string("503.html", essentials())
    return HttpResponse(page, status=503, headers=headers)
