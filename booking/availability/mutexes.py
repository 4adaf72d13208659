"""One caller at a time among threads, workers and, with Redis, machines.

The workers of one machine lock files beside the embedded cache, so a lock is free the moment its
holder dies, however it dies. A lock in Redis frees itself after the longest call.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

import redis
from django.conf import settings
from redis.lock import Lock as RedisLock

logger = logging.getLogger(__name__)

# Lock files are never deleted, because somebody may just be opening one; so there are only so many.
# Two keys that share one wait for each other now and then, no more.
LOCK_FILES = 4096
# How often one who waits looks, in seconds.
POLL = 0.02


class Mutex(Protocol):
    """What dogpile's `Lock` wants. `acquire` raises TimeoutError when it has waited too long."""

    def acquire(self, wait: bool = True, /) -> bool: ...

    def release(self) -> None: ...


def mutex_of(key: str, *, patience: float) -> Mutex:
    """The mutex for a hexadecimal key; `patience` is how long to wait for it, in seconds."""
    return _mutex(key, str(int(key[:8], 16) % LOCK_FILES), patience)


def retry_mutex(key: str) -> Mutex:
    """For the one who may try whether an outage is over; nobody waits for it.

    Its file is its own, since it is taken by somebody who holds another one.
    """
    return _mutex(key, "retry", 0)


def _mutex(key: str, file_name: str, patience: float) -> Mutex:
    config = settings.CACHES["default"]
    if config["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
        client = _redis(config["LOCATION"], tuple(config.get("OPTIONS", {}).items()))
        return _RedisMutex(client, f"{config.get('KEY_PREFIX', '')}:lock:{key}", patience)
    return _FileMutex(Path(config["LOCATION"]) / "locks" / file_name, patience)


class _FileMutex:
    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._held: BinaryIO | None = None

    def acquire(self, wait: bool = True, /) -> bool:
        # Not a blocking flock: that would wait for ever for a worker that has been stopped.
        deadline = time.monotonic() + self._patience
        while not self._tried():
            if not wait:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(POLL)
        return True

    def _tried(self) -> bool:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held = _locked(self._path)
        except BlockingIOError:
            return False
        except OSError as exc:
            logger.warning("No lock, going on without: %s", exc)
        return True

    def release(self) -> None:
        if self._held:
            self._held.close()
            self._held = None


def _locked(path: Path) -> BinaryIO:
    """The file, locked until it is closed. Raises BlockingIOError while somebody has it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


class _RedisMutex:
    def __init__(self, client: redis.Redis, name: str, patience: float) -> None:
        # Longer than its holder may work, or a second caller would get in.
        self._lock = RedisLock(
            client, name, timeout=patience + 5, sleep=POLL, blocking_timeout=patience
        )

    def acquire(self, wait: bool = True, /) -> bool:
        try:
            got: bool = self._lock.acquire(blocking=wait)
        except redis.RedisError as exc:
            logger.warning("No lock, going on without: %s", exc)
            return True
        if wait and not got:
            raise TimeoutError
        return got

    def release(self) -> None:
        # A lock that has run out, or that was never there because Redis is away, needs no release.
        with contextlib.suppress(redis.RedisError):
            self._lock.release()


@lru_cache(maxsize=4)
def _redis(address: str, options: tuple[tuple[str, object], ...]) -> redis.Redis:
    return redis.Redis.from_url(address, **dict(options))
