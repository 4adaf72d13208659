"""Settings of gunicorn, which finds this file by its name and reads WEB_CONCURRENCY and PORT."""

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

# Files are readable by the site's user only, also before the settings are loaded. Not gunicorn's
# `umask`, which is for a unix socket that the proxy, another user, must open.
os.umask(0o077)

# Threads, because a worker mostly waits for the CRM: a booking may hold one for 15 seconds.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# More than `booking.middleware.load_shedding` lets in at once: two are always free to tell others
# that it is full, and to answer probes. Measured with one worker, a CRM that hangs and 200 buyers
# within a moment: 20 pages wait for the CRM, 180 buyers are told to come again, half of them after
# 0.2 s, all after 1.1 s; meanwhile /healthz/ takes 4 ms and the login of the admin 23 ms. All 38
# threads together add 8 MB to the 69 of a worker.
threads = 38

# gunicorn waits 5 s in a thread for a client that says nothing, or whose form was turned away and
# does not come; and 2 s, in the one loop that takes connections, for a client that does not close
# its end. Measured with one worker and 80 such connections of one client: another's page took 5,
# 10 and 20 s, and takes 2, 370 and 2 ms so. A request that comes byte by byte still holds its
# thread: against more of these only a proxy helps that takes whole requests (deploy/Caddyfile).
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 0.2
util.close_graceful = partial(util.close_graceful, timeout=0.001)

# Load the application and check its configuration before any worker starts: a wrong variable ends
# the start, while failing workers would be restarted forever. So a new version needs a restart; HUP
# keeps the loaded code.
preload_app = True

# Each worker has its own socket. With one shared socket and keep-alive clients the first worker
# takes nearly all connections while the others idle: two workers gave 1,540 responses a second, and
# give 5,160 so. Mind that a second gunicorn on the same port is then no error: the system would
# share the buyers between the two. A unix socket can't be shared (on_starting).
reuse_port = True
# Connections waiting to be accepted. A worker accepts them at once, so they wait only while it does
# not get to run: this is a fifth of a second of the load above. More would be an invisible queue.
backlog = 512
# Longer than proxies keep an idle connection (nginx: 60 s), so that we never close one just as the
# proxy sends its next request.
keepalive = 75

# The longest page: two reads, then the call that books, each 10 s long at most, its connection and
# second try included; and waits for the database around them. The timeout is about a worker that
# has hung.
timeout = 60
# A worker told to stop finishes what it is sending: a booking cut short is a booking in doubt.
# Service managers must wait as long (docker stop --timeout 70, TimeoutStopSec=70).
graceful_timeout = 65
# The longest link that docs/link-to-it.md allows: six tags of 200 Cyrillic letters are 7,200 bytes
# when they are encoded. It is the most that gunicorn takes, and what nginx takes by itself.
limit_request_line = 8190
# That address stands in one header of the next request (Referer). Browsers and two proxies send
# some thirty headers; the numbers are gunicorn's own.
limit_request_field_size = 8190
limit_request_fields = 100

# Workers are not replaced after a number of requests: nothing leaks, and each replacement would
# close the connections to the CRM.
max_requests = 0

# Which headers about the client and HTTPS to trust is decided by TRUSTED_PROXIES in the settings.
forwarded_allow_ips = ""
# Not needed, and the socket would need a writable home.
control_socket_disable = True
# The workers' heartbeat and metrics are files: on a busy disk both would stall.
_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - only new files in it
worker_tmp_dir = _memory


def _remove(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def on_starting(server: Any) -> None:
    """Share the master's socket if it is a unix socket or an inherited one."""
    if not all(isinstance(address, tuple) for address in server.cfg.address):
        server.cfg.set("reuse_port", False)


def post_fork(server: object, worker: object) -> None:
    """Leave the folder of metrics to the master.

    The master is not always the process that has read this file: a daemon has forked since.
    """
    atexit.unregister(_remove)


# The folder in which workers share metrics: a scrape reaches one worker and wants all. Set before
# the application is loaded, because prometheus_client reads it then.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    _figures = tempfile.mkdtemp(prefix="figures-", dir=_memory)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _figures
    # Not gunicorn's on_exit, which a failed start never reaches.
    atexit.register(_remove, _figures)


class PrivateLogger(Logger):
    """Keep the log readable by the site's user only: `--daemon` sets a umask of 022 later."""

    def setup(self, cfg: Config) -> None:
        os.umask(0o077)
        super().setup(cfg)


logger_class = PrivateLogger
# No access log: the site writes a line for each request. If one is asked for (--access-logfile -),
# it leaves out the address, in which steps 1 to 3 keep a buyer's flat and which opens a booking.
access_log_format = "%(t)s %(m)s %(s)s %(B)s %(M)sms"
