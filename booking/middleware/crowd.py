"""What happens when more people come than can be served.

Each page holds a thread, most of its time waiting for the CRM or the database. Without a limit the
pages beyond would wait for a thread, in a queue that nobody sees and that grows for as long as the
crowd does; every page would be late, those of people who have long gone included. So there are more
threads (gunicorn.conf.py) than pages at once: some for a short line, the rest to tell everybody
else at once, in words, to come again in a moment, and to answer staff and whoever watches the site.
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
# Seconds that one waits in the line; for most, a page that is not waiting itself ends much sooner.
PATIENCE = 1.0
# Seconds after which the browser is to try again by itself.
COME_AGAIN = 5

WATCHERS = ("healthz/", "readyz/")


class Doorman:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._pages = threading.BoundedSemaphore(PAGES_AT_ONCE)
        self._line = threading.BoundedSemaphore(LINE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_a_way_of_its_own(request):
            return self.get_response(request)
        if not self._lets_in():
            metrics.TURNED_AWAY.inc()
            return _come_again(request)
        try:
            return self.get_response(request)
        finally:
            self._pages.release()

    def _lets_in(self) -> bool:
        if self._pages.acquire(blocking=False):
            return True
        if not self._line.acquire(blocking=False):
            return False
        try:
            return self._pages.acquire(timeout=PATIENCE)
        finally:
            self._line.release()


def _has_a_way_of_its_own(request: HttpRequest) -> bool:
    """Staff must see what is going on, and a full site is no dead one."""
    ways = (*WATCHERS, settings.ADMIN_PATH, settings.METRICS_PATH)
    return request.path_info.removeprefix("/").startswith(tuple(filter(None, ways)))


def _come_again(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(COME_AGAIN)}
    if request.method in {"GET", "HEAD"}:
        headers["Refresh"] = headers["Retry-After"]
    page = render_to_string("503.html", essentials())
    return HttpResponse(page, status=503, headers=headers)
