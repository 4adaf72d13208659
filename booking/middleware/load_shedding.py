"""Turn visitors away with a page when more come than can be served.

Each page holds a thread and mostly waits for the CRM or the database. Without a limit, further
pages would wait for a thread in an invisible queue that grows with the crowd, and every page would
be late, even those of people who have left. So there are more threads (gunicorn.conf.py) than pages
at once: some for a short line, the others to answer immediately with 503 and to serve probes. Staff
and logins have their own slots, so that no group shuts another out, and one client never takes all
slots of a group.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from booking import known_browsers
from booking.client_address import client_address
from booking.context_processors import essentials
from booking.observability import metrics

# Per process. Together fewer than the threads of a worker.
PAGES_AT_ONCE = 20
LINE = 8
# The admin and the metrics.
STAFF_AT_ONCE = 6
# The admin in unknown browsers: checking a password takes a core for half a second.
LOGINS_AT_ONCE = 2
# Seconds in the line. Mostly a page that is not waiting itself ends much sooner.
PATIENCE = 1.0
# Seconds after which the browser reloads.
COME_AGAIN = 5

PROBES = {"/healthz/", "/readyz/"}


class Slots:
    """Slots for requests at once, and a line in which a few more wait for a moment.

    Many buyers may share an address. So a client that holds its share gets further slots while more
    than `reserve` are idle, and half of the line.
    """

    def __init__(self, places: int, *, line: int, share: int, reserve: int) -> None:
        self._idle = places
        self._line = line
        self._half_line = line // 2
        self._share = share
        self._reserve = reserve
        self._freed = threading.Condition()
        # Only clients that hold or wait now: at most as many entries as slots and line.
        self.held: Counter[str] = Counter()

    def acquire(self, client: str | None) -> bool:
        with self._freed:
            reserve = self._reserve if self.has_its_share(client) else 0
            self._count(client, 1)  # waiting counts, too, or one client would fill the line
            if self._idle > reserve or self._waited_for_more_than(reserve):
                self._idle -= 1
                return True
            self._count(client, -1)
            return False

    def release(self, client: str | None) -> None:
        with self._freed:
            self._idle += 1
            self._count(client, -1)
            self._freed.notify_all()

    def has_its_share(self, client: str | None) -> bool:
        return client is not None and self.held[client] >= self._share

    def _waited_for_more_than(self, reserve: int) -> bool:
        """Wait for more than `reserve` idle slots. False at the timeout, or if the line is full."""
        if self._line <= (self._half_line if reserve else 0):
            return False
        self._line -= 1
        try:
            return self._freed.wait_for(lambda: self._idle > reserve, PATIENCE)
        finally:
            self._line += 1

    def _count(self, client: str | None, change: int) -> None:
        if client is not None:
            self.held[client] += change
            if not self.held[client]:
                del self.held[client]


class LoadSheddingMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Measured with two workers on two busy cores, while one client holds 50 unfinished forms
        # open: without a share 90 % of another buyer's pages are 503, with it none, the slowest
        # takes 0.6 s. While it sends 70 refused forms at once: 90 %, then none and 0.5 s. A buyer
        # holds one slot, with a few tabs or an impatient thumb four. Of a hundred buyers behind one
        # address, with a new page every two seconds each, 2 of 547 pages were turned away once the
        # days were read.
        share = settings.PLACES_PER_CLIENT
        self._pages = Slots(PAGES_AT_ONCE, line=LINE, share=share, reserve=PAGES_AT_ONCE // 2)
        # A whole office has one address: it may take four of six.
        self._staff = Slots(STAFF_AT_ONCE, line=0, share=2, reserve=2)
        self._logins = Slots(LOGINS_AT_ONCE, line=0, share=1, reserve=1)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES:
            return self.get_response(request)
        slots, client = self._slots(request), client_address(request)
        if not slots.acquire(client):
            reason = "client" if slots.has_its_share(client) else "full"
            metrics.TURNED_AWAY.labels(reason).inc()
            return _come_again(request)
        try:
            return self.get_response(request)
        finally:
            slots.release(client)

    def _slots(self, request: HttpRequest) -> Slots:
        path = request.path_info
        if settings.METRICS_PATH and path == f"/{settings.METRICS_PATH}":
            return self._staff
        if not path.startswith(f"/{settings.ADMIN_PATH}"):
            return self._pages
        # Not by the session, whose cookie can be made up: this one is signed.
        return self._staff if known_browsers.is_known(request) else self._logins


def _come_again(request: HttpRequest) -> HttpResponse:
    headers = {"Retry-After": str(COME_AGAIN)}
    if request.method in {"GET", "HEAD"}:
        headers["Refresh"] = headers["Retry-After"]
    page = render_to_string("503.html", essentials())
    return HttpResponse(page, status=503, headers=headers)
