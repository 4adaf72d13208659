"""One caller at a time among threads, workers and, with Redis, machines.

The workers of one machine lock files beside the embedded cache, so a lock is free the moment its
holder dies, however it dies. A lock in Redis frees itself after the longest call.
"""

from __future__ import annotations

import contextlib
import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import redis
from django.conf import settings
from dogpile.cache.backends.file import FileLock
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
    config = settings.CACHES["default"]
    if config["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
        client = _redis(config["LOCATION"], tuple(config.get("OPTIONS", {}).items()))
        return _RedisMutex(client, f"{config.get('KEY_PREFIX', '')}:lock:{key}", patience)
    name = str(int(key[:8], 16) % LOCK_FILES)
    return _FileMutex(Path(config["LOCATION"]) / "locks" / name, patience)


class _FileMutex:
    def __init__(self, path: Path, patience: float) -> None:
        self._folder = path.parent
        self._lock = FileLock(str(path))  # type: ignore[no-untyped-call]
        self._patience = patience

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
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            got: bool = self._lock.acquire(False)  # type: ignore[no-untyped-call]
        except OSError as exc:
            logger.warning("No lock, going on without: %s", exc)
            return True
        return got

    def release(self) -> None:
        self._lock.release()  # type: ignore[no-untyped-call]


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
