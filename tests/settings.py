"""A complete environment for the tests, then the real settings, then the few that must differ."""

import atexit
import os
import shutil
import tempfile

from tests.variables import environment

# Processes that test side by side (pytest-xdist) keep apart what they store.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
REDIS = os.environ.get("TESTS_CACHE_URL", "").replace("/0", f"/{WORKER}")
CACHE = tempfile.mkdtemp(prefix="handover-cache-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)

os.environ.update(
    environment(
        SECURE_SSL_REDIRECT="false",
        TIME_ZONE="Asia/Yekaterinburg",
        # A closed port: a test that forgets the stand-in fails at once.
        MACROCRM_URL="http://127.0.0.1:9",
        SUPPORT_PHONE="+7 343 000-00-00",
        PRIVACY_POLICY_URL="https://example.test/privacy",
        # The services that `tests.services` starts. Without them, the embedded database and cache,
        # but not those of a site that runs on this machine.
        DATABASE_URL=os.environ.get("TESTS_DATABASE_URL", ""),
        CACHE_URL=REDIS or f"filecache://{CACHE}",
    )
)

from config.settings import *  # noqa: E402

INSTALLED_APPS.append("standin")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file: in memory SQLite locks tables, not the database, and fails where the real one waits.
    DATABASES["default"]["TEST"] = {
        "NAME": f"{tempfile.gettempdir()}/handover-tests-{os.getpid()}.sqlite3"
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# WhiteNoise then looks files up when asked, so that no test needs a `collectstatic` before it.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
