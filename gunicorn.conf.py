"""Settings of gunicorn, which reads this file by itself. WEB_CONCURRENCY and PORT are its own."""

import atexit
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers import gthread

# Whatever is written is the site's alone, before the settings say so too. Not gunicorn's own
# `umask`: that one is for a unix socket, which the proxy, another user, must be able to open.
os.umask(0o077)

# Threads, because a worker mostly waits for the CRM: a booking may hold one for 15 seconds.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# More than `booking.middleware.load_shedding` lets in at once: two are always free to tell others
# that it is full, and to answer probes. Measured with one worker, a CRM that hangs and 200 buyers
# within a moment: 20 pages wait for the CRM, 180 buyers are
# told to come again, half of them after 0.2 s, all after 1.1 s; meanwhile /healthz/ takes 4 ms and
# the login of the admin 23 ms. All 38 threads together add 8 MB to the 69 of a worker.
threads = 38

# gunicorn waits 5 s in a thread for a client that says nothing, or whose form was turned away and
# does not come; and 2 s, in the one loop that takes connections, for a client that does not close
# its end. Measured with one worker and 80 such connections of one client: another's page took 5,
# 10 and 20 s, and takes 2, 370 and 2 ms so. A request that comes byte by byte still holds its
# thread: against more of these only a proxy helps that takes whole requests (deploy/Caddyfile).
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.2
util.close_graceful = partial(util.close_graceful, timeout=0.001)

# The application is loaded, and its configuration checked, once before any worker: a wrong variable
# ends the start, where workers that fail would be started again for ever. So a new version needs a
# restart; HUP keeps the code that is loaded.
preload_app = True

# Each worker listens for itself. With one shared socket and keep-alive clients the first worker
# takes nearly all connections and the others idle: two workers gave 1,540 answers a second, and
# give 5,160 so. Mind that a second gunicorn on the same port is then no error: the system would
# share the buyers between the two. A unix socket can't be shared so (on_starting).
reuse_port = True
# Connections that wait to be taken. A worker takes them at once and tells a crowd to come again, so
# they wait only while it does not get to run: this is a fifth of a second of the work above. More
# would be a queue that nobody sees.
backlog = 512
# Longer than a proxy keeps an idle connection (nginx: 60 s), so that it is never us who close one
# just as the proxy sends the next request over it.
keepalive = 75

# The longest page: two reads, then the call that books, each 10 s long at most, its connection and
# second try included; and waits for the database around them. The timeout is about a worker that
# has hung.
timeout = 60
# A worker told to stop finishes what it is sending: a booking cut short is a booking in doubt.
# Whoever stops us must wait as long (docker stop --timeout 70, TimeoutStopSec=70).
graceful_timeout = 65
# The longest link that docs/link-to-it.md allows: six marks of 200 Cyrillic letters are 7,200 bytes
# when they are encoded. It is the most that gunicorn takes, and what nginx takes by itself.
limit_request_line = 8190
# That address stands in one header of the next request (Referer). Browsers and two proxies send
# some thirty headers; the numbers are gunicorn's own.
limit_request_field_size = 8190
limit_request_fields = 100

# Workers are not replaced after so many requests: nothing leaks that this would cure, and each
# replacement would close the connections to the CRM.
max_requests = 0

# Whom to believe about the client and HTTPS is decided once, by TRUSTED_PROXIES in the settings.
forwarded_allow_ips = ""
# Nothing here needs steering while it runs, and the socket would want a writable home.
control_socket_disable = True
# The workers' heartbeat is a file, and so are their figures: on a busy disk both would stall.
_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only new files in it
worker_tmp_dir = _memory


def _remove(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def on_starting(server: Any) -> None:
    """With a unix socket or one that is handed over, the workers share what the master opens."""
    if not all(isinstance(address, tuple) for address in server.cfg.address):
        server.cfg.set("reuse_port", False)


def post_fork(server: object, worker: object) -> None:
    """Workers leave the folder of figures to the master.

    The master is not always the process that has read this file: a daemon has forked since.
    """
    atexit.unregister(_remove)


# Where the workers leave their figures for each other: a scrape reaches one of them and wants all.
# Before the application is loaded, since prometheus_client decides by it how to count.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _figures = tempfile.mkdtemp(prefix="figures-", dir=_memory)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _figures
    # Not gunicorn's on_exit, which a start that fails never gets to.
    atexit.register(_remove, _figures)


class PrivateLogger(Logger):
    """Keeps the log to the site's user: `--daemon` has set a umask of 022 since this was read."""

    def setup(self, cfg: Config) -> None:
        os.umask(0o077)
        super().setup(cfg)


logger_class = PrivateLogger
# No access log: the site writes a line for each request. If one is asked for (--access-logfile -),
# it leaves out the address, in which steps 1 to 3 keep a buyer's flat and which opens a booking.
access_log_format = "%(t)s %(m)s %(s)s %(B)s %(M)sms"
