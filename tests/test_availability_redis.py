"""The same promises where the cache and the locks are in Redis."""

import shutil
import threading

import pytest
import redis
from django.core.cache import cache

from booking.availability import memory
from booking.availability.mutexes import mutex_of
from tests import journey
from tests.services import running_redis

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="needs redis-server")
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def address():
    with running_redis() as address:
        yield address


@pytest.fixture
def redis_cache(settings, address):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": address,
            "KEY_PREFIX": "tests",
            "OPTIONS": {"socket_connect_timeout": 5, "socket_timeout": 5},
        }
    }
    cache.clear()


def test_one_caller_at_a_time(redis_cache):
    first, second = mutex_of(KEY, patience=10), mutex_of(KEY, patience=10)

    assert first.acquire()
    assert not second.acquire(False)
    first.release()
    assert second.acquire(False)
    second.release()


def test_one_who_waits_gets_it_when_it_is_free(redis_cache):
    first, second = mutex_of(KEY, patience=10), mutex_of(KEY, patience=10)
    first.acquire()
    got = threading.Event()

    def wait_and_release() -> None:
        second.acquire()
        got.set()
        second.release()

    waiting = threading.Thread(target=wait_and_release)
    waiting.start()
    assert not got.is_set()
    first.release()
    waiting.join()

    assert got.is_set()


def test_nobody_waits_longer_than_the_patience(redis_cache):
    first, second = mutex_of(KEY, patience=10), mutex_of(KEY, patience=0.05)
    first.acquire()

    with pytest.raises(TimeoutError):
        second.acquire()
    first.release()


def test_a_lock_whose_holder_died_frees_itself(redis_cache, address):
    mutex_of(KEY, patience=10).acquire()
    client = redis.Redis.from_url(address)
    [name] = client.keys(f"*{KEY}")

    assert 10 < client.ttl(name) <= 15


def test_an_answer_is_remembered_and_dropped(redis_cache):
    seen = memory.view(KEY)
    memory.keep_answer(KEY, seen, (("10:00",), ""), fresh_for=60, good_for=60)
    assert memory.recall([KEY])[0][KEY].answer == (("10:00",), "")

    memory.drop(KEY)
    memory.keep_answer(KEY, seen, (("10:00",), ""), fresh_for=60, good_for=60)

    assert memory.recall([KEY]) == ({}, None)


@pytest.fixture
def no_redis(settings):
    """An address at which nobody listens."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }


@pytest.mark.parametrize(
    "path", ["/", "/?category=garage", "/time/?category=flat&house=3105011&flat=1.8-12-1"]
)
@pytest.mark.django_db
def test_pages_are_served_while_redis_is_away(client, standin, no_redis, path):
    assert client.get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_bookings_are_taken_while_redis_is_away(client, standin, no_redis):
    form = journey.fill_in(client, journey.first_free(standin))

    journey.send(client, form)

    assert len(standin.ledger) == 1
