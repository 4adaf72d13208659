"""A complete environment for the tests, then the real settings, then the few that must differ."""

import os
import tempfile

from tests.variables import environment

os.environ.update(
    environment(
        SECURE_SSL_REDIRECT="false",
        TIME_ZONE="Asia/Yekaterinburg",
        # A closed port: a test that forgets the stand-in fails at once.
        MACROCRM_URL="http://127.0.0.1:9",
        SUPPORT_PHONE="+7 343 000-00-00",
        PRIVACY_POLICY_URL="https://example.test/privacy",
        # No test reads more, so none but those of the budget meets its end.
        MACROCRM_CALLS_PER_MINUTE="600",
        # The server that `tests.with_postgres` starts; without it, the embedded database.
        DATABASE_URL=os.environ.get("TESTS_DATABASE_URL", ""),
    )
)

from config.settings import *

INSTALLED_APPS.append("standin")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file: in memory SQLite locks tables, not the database, and fails where the real one waits.
    FILES = f"{tempfile.gettempdir()}/handover-tests-{os.getpid()}"
    DATABASES["default"]["TEST"] = {"NAME": f"{FILES}.sqlite3"}
    # Not that of a site that runs on this machine, even while the test database is being made.
    DATABASES["cache"]["NAME"] = f"{FILES}.cache.sqlite3"
    DATABASES["cache"]["TEST"] = {"NAME": f"{FILES}.cache-test.sqlite3", "MIGRATE": False}
else:
    DATABASES["cache"]["TEST"] = {"MIRROR": "default"}
# Most tests may not touch the database, or do so in a transaction that other threads don't see.
# Those of the cache take the real one (`database_cache`).
CACHES = {"database": CACHES["default"], "default": CACHES["process"], "process": CACHES["process"]}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# WhiteNoise then looks files up when asked, so that no test needs a `collectstatic` before it.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
