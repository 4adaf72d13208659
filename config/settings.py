"""All settings. The only reader of the environment; `.env.example` documents every variable."""

import os
from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.management.utils import get_random_secret_key

from config import environment as env

# Makes Django's classes generic at run time: `ModelAdmin[Booking]`.
django_stubs_ext.monkeypatch()

# Journal, cache, exports and logs hold phones, so only their owner may read files. Static files are
# an exception (`config.static_files`).
os.umask(0o077)

BASE_DIR = Path(__file__).resolve().parent.parent

_env = env.Environment(BASE_DIR / ".env")

# Core

DEBUG = _env.optional("DEBUG", env.boolean, False)
SECRET_KEY = _env.required("SECRET_KEY", env.secret_key, get_random_secret_key())
if DEBUG:
    ALLOWED_HOSTS = _env.optional("ALLOWED_HOSTS", env.hosts, ["localhost", "127.0.0.1", "[::1]"])
else:
    ALLOWED_HOSTS = _env.required("ALLOWED_HOSTS", env.hosts, [])
CSRF_TRUSTED_ORIGINS: list[str] = _env.optional("CSRF_TRUSTED_ORIGINS", env.origins, [])
TRUSTED_PROXIES = _env.optional("TRUSTED_PROXIES", env.whole(0, 9), 0)

ADMIN_PATH = _env.optional("ADMIN_PATH", env.own_path, "admin/")
METRICS_PATH = _env.optional("METRICS_PATH", env.own_path, "")

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "phonenumber_field",
    "booking",
]
# The stand-in CRM's command, for development. An image has no such folder.
if DEBUG and (BASE_DIR / "standin").is_dir():
    INSTALLED_APPS.append("standin")

MIDDLEWARE = [
    "booking.middleware.InputBoundsMiddleware",
    "booking.observability.middleware.RequestLogMiddleware",
    "booking.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "booking.middleware.LoadSheddingMiddleware",
    "booking.middleware.DatabaseTimeoutMiddleware",
    "booking.middleware.PublicPagesGZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "booking.language.LanguageMiddleware",
    "booking.middleware.CommonExceptProbesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "booking.middleware.ErrorPagesMiddleware",
    "booking.middleware.StaffLoginMiddleware",
]

# Data

_database: dict[str, Any] = _env.optional(
    "DATABASE_URL",
    env.database,
    {"ENGINE": "django.db.backends.sqlite3", "NAME": "var/db.sqlite3"},
)
# A booking is committed before the CRM is called, so a request must not be one transaction.
_database["ATOMIC_REQUESTS"] = False
DATABASES = {"default": _database}
DATABASE_ROUTERS = ["booking.database.routers.CacheRouter"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # The same file, whichever folder a command is called from.
    _database["NAME"] = BASE_DIR / _database["NAME"]
    _env.folder("DATABASE_URL", _database["NAME"].parent)
    _database["OPTIONS"] = {
        # Writers queue for up to 20 s instead of failing when they meet.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL, not NORMAL: a committed row of the journal outlives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    # The journal has one writer at a time, who waits for the disk. So the cache is a file of its
    # own beside it, which may be deleted at any time.
    DATABASES["cache"] = {
        **_database,
        "NAME": _database["NAME"].with_suffix(".cache.sqlite3"),
        # To open it costs as much as to read the days of a page.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 1,
            # NORMAL: what a power cut takes is asked for again.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
else:
    # Django's own, with an end to every wait for an answer.
    _database["ENGINE"] = "booking.database.postgresql"
    # A thread has a connection only while it works with the database, not while it waits for the
    # CRM (`booking.database.pool`), so few do for 38 threads. Seconds; a server that is back is
    # noticed after the last at the latest.
    _pool = {"min_size": 1, "max_size": 10, "timeout": 1.5, "reconnect_timeout": 2}
    # What the address itself says (`?connect_timeout=5`) stands.
    _database["OPTIONS"] = {
        # Seconds, for each address of the host's name; the least that libpq takes.
        "connect_timeout": 2,
        # A machine that is gone says nothing. Noticed after 10 s: while a statement waits, by the
        # first probe after 5 s of silence; of what was sent and not acknowledged, in milliseconds.
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": 10_000,
        **_database.get("OPTIONS", {}),
        "pool": _pool,
    }
    # Of its own, so that the journal never waits for a connection that the cache holds.
    DATABASES["cache"] = {
        **_database,
        "OPTIONS": {**_database["OPTIONS"], "pool": _pool | {"max_size": 2, "timeout": 0.5}},
    }
# How long one answer of PostgreSQL is waited for, in seconds. A page must say within 5 s that the
# database hangs: while connections of the pool are looked at, 1 s each, the pool's timeout passes,
# for the cache and then for the journal; or 4 where it hangs in the middle of a page.
DATABASE_CHECK_TIMEOUT = 1.0
DATABASE_TIMEOUT = 4.0
# For another transaction's lock, by PostgreSQL's own `lock_timeout`: told before the 4 s are over.
# Transactions of ours take milliseconds; what holds a lock for longer is a console.
DATABASE_LOCK_TIMEOUT = 3.0
# For the figures, exports and commands, and PostgreSQL's own `statement_timeout` for everything but
# migrations. Over a million bookings the longest statement of the figures took 1.6 s on two busy
# cores, the first of an export 3.5 s, that of any other page 0.1 s.
DATABASE_LONG_TIMEOUT = 30.0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A table that all processes and machines share; while it can't be used, each process has a cache of
# its own (`booking.shared_cache`). It holds pickles: who can write to the table can run code here.
# One entry for each day of each house, and a few. Django's 300 would throw out what is still fresh.
_entries = {"MAX_ENTRIES": 50_000}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "booking_cache",
        "OPTIONS": _entries,
    },
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": _entries,
    },
}

# Pages

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "booking.context_processors.site",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "lang"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = _env.optional("TIME_ZONE", env.time_zone, "Europe/Moscow")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static_files.CompressedStaticFiles",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Seconds, for file names without a hash; those with one are cached forever.
WHITENOISE_MAX_AGE = 3600

# Security

SECURE_SSL_REDIRECT = _env.optional("SECURE_SSL_REDIRECT", env.boolean, not DEBUG)
# Probes from inside the machine or cluster use plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
if METRICS_PATH:
    SECURE_REDIRECT_EXEMPT.append(f"^{METRICS_PATH}$")
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_SSL_REDIRECT else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_SSL_REDIRECT
# The preload list takes registrable domains; this site may be a subdomain.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Not simply "unless DEBUG": a trial run over plain http on loopback must be able to log in.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT or TRUSTED_PROXIES > 0
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "booking.admin.csrf_failure.form_refused"
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
# Only staff have a session, and what it opens is personal data: a working day, in seconds.
SESSION_COOKIE_AGE = 12 * 3600
# Our URLs hold a flat, and a booking's URL opens it.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Forms are a few short fields, never a file; an admin action posts a field for each row of a page.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 250
DATA_UPLOAD_MAX_NUMBER_FILES = 0
DEFAULT_EXCEPTION_REPORTER_FILTER = "booking.redaction.ReportFilter"
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "booking.passwords.KnownWordsValidator"}]

# Observability. Without METRICS_PATH there are no metrics, without SENTRY_DSN no error reports.

SENTRY_DSN = _env.optional("SENTRY_DSN", env.report_address, "")
LOG_FORMAT = _env.optional("LOG_FORMAT", env.one_of("JSON", "LINE"), "LINE" if DEBUG else "JSON")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "booking.redaction.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "booking.observability.logging.JSONFormatter"},
    },
    "filters": {
        "no_address": {"()": "booking.redaction.NoAddress"},
        "only_tracebacks": {"()": "booking.redaction.OnlyTracebacks"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT.lower()}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # With Django's handlers, this logger would write each line twice.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["only_tracebacks", "no_address"]},
        "django.security.csrf": {"filters": ["no_address"]},
        # Drops the traceback for each scanner with another host name, which gets a 400.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # At DEBUG it writes whole URLs, and with MACROCRM_METHOD=GET those hold the token.
        "urllib3": {"level": "INFO"},
    },
}

# The CRM

MACROCRM_URL = _env.optional("MACROCRM_URL", env.base_url, "https://api.macrocrm.ru")
MACROCRM_DOMAIN = _env.required("MACROCRM_DOMAIN", env.crm_domain, "")
MACROCRM_APP_SECRET = _env.required("MACROCRM_APP_SECRET", str, "")
MACROCRM_METHOD = _env.optional("MACROCRM_METHOD", env.one_of("POST", "GET"), "POST")
MACROCRM_CONNECT_TIMEOUT = _env.optional("MACROCRM_CONNECT_TIMEOUT", env.seconds(0.1, 30), 3.0)
MACROCRM_READ_TIMEOUT = _env.optional("MACROCRM_READ_TIMEOUT", env.seconds(0.1, 30), 10.0)
MACROCRM_CONCURRENCY = _env.optional("MACROCRM_CONCURRENCY", env.whole(1, 32), 4)
# Reads, of all processes together; the vendor's second API takes 100 calls a minute.
MACROCRM_CALLS_PER_MINUTE = _env.optional("MACROCRM_CALLS_PER_MINUTE", env.whole(6, 600), 60)
# Of all processes together. Unlimited, eight threads got 708 a minute, 44 at once.
MACROCRM_ADDS_AT_ONCE = _env.optional("MACROCRM_ADDS_AT_ONCE", env.whole(1, 10**6), 8)
MACROCRM_ADDS_PER_MINUTE = _env.optional("MACROCRM_ADDS_PER_MINUTE", env.whole(1, 10**6), 60)
# Whether a second `add` of a flat moves its visit, which differs between installations. Unless set,
# no `add` is sent while a visit lies ahead.
MACROCRM_ADD_MOVES = _env.optional("MACROCRM_ADD_MOVES", env.boolean, False)

# Booking

BOOKING_CATEGORIES = _env.optional(
    "BOOKING_CATEGORIES",
    env.some_of(("flat", "garage", "storageroom", "comm")),
    ["flat", "garage", "storageroom", "comm"],
)
BOOKING_HORIZON_DAYS = _env.optional("BOOKING_HORIZON_DAYS", env.whole(1, 120), 14)
BOOKING_MIN_NOTICE_HOURS = _env.optional("BOOKING_MIN_NOTICE_HOURS", env.whole(0, 240), 2)
BOOKING_VISIT_SLOTS = _env.optional("BOOKING_VISIT_SLOTS", env.whole(1, 16), 1)
BOOKING_GRID_MINUTES = _env.optional("BOOKING_GRID_MINUTES", env.whole(5, 240), 30)

# Limits within a sliding window. Many buyers may share one address, a mobile operator's.

LIMIT_WINDOW_MINUTES = _env.optional("LIMIT_WINDOW_MINUTES", env.whole(1, 1440), 60)
LIMIT_PHONES_OF_CLIENT = _env.optional("LIMIT_PHONES_OF_CLIENT", env.whole(1, 10**6), 5)
LIMIT_FLATS_OF_PHONE = _env.optional("LIMIT_FLATS_OF_PHONE", env.whole(1, 10**6), 5)
LIMIT_PAIRS_OF_CLIENT = _env.optional("LIMIT_PAIRS_OF_CLIENT", env.whole(1, 10**6), 60)
LIMIT_PHONES_OF_FLAT = _env.optional("LIMIT_PHONES_OF_FLAT", env.whole(1, 10**6), 100)
LIMIT_PRESSES_OF_CLIENT = _env.optional("LIMIT_PRESSES_OF_CLIENT", env.whole(1, 10**6), 10)
LIMIT_FIND_PER_CLIENT = _env.optional("LIMIT_FIND_PER_CLIENT", env.whole(1, 10**6), 10)
LIMIT_REQUESTS_OF_CLIENT = _env.optional("LIMIT_REQUESTS_OF_CLIENT", env.whole(1, 10**6), 5)
LIMIT_FIND_PER_PHONE = _env.optional("LIMIT_FIND_PER_PHONE", env.whole(1, 10**6), 20)

# Of the slots of a process (booking.middleware.load_shedding).
PLACES_PER_CLIENT = _env.optional("PLACES_PER_CLIENT", env.whole(1, 20), 4)

# What buyers read

SITE_NAME = _env.optional("SITE_NAME", str, "")
# Checked by `booking.checks.look`.
ACCENT_COLOR = _env.optional("ACCENT_COLOR", str, "")
LOGO_FILE = _env.optional("LOGO_FILE", str, "")
SUPPORT_PHONE = _env.optional("SUPPORT_PHONE", env.phone, "")
ACCESSIBILITY_DATE = _env.optional("ACCESSIBILITY_DATE", env.day, None)
BOOKING_LIST_NUMBERS = _env.optional("BOOKING_LIST_NUMBERS", env.boolean, True)
PHONE_REGION = _env.optional("PHONE_REGION", env.phone_region, "RU")
PRIVACY_POLICY_URL = _env.optional("PRIVACY_POLICY_URL", env.web_url, "")
RETENTION_DAYS = _env.optional("RETENTION_DAYS", env.whole(1, 36500), 1095)

# Notices to staff, by `manage.py send_notices`

SITE_URL = _env.optional("SITE_URL", env.base_url, "")
NOTICE_EMAILS: list[str] = _env.optional("NOTICE_EMAILS", env.email_addresses, [])
NOTICE_WEBHOOK_URL = _env.optional("NOTICE_WEBHOOK_URL", env.webhook_url, "")
NOTICE_WEBHOOK_SECRET = _env.optional("NOTICE_WEBHOOK_SECRET", env.webhook_secret, "")
_env.needs("NOTICE_WEBHOOK_URL", "NOTICE_WEBHOOK_SECRET")
NOTICE_FROM = _env.optional("NOTICE_FROM", env.email_address, "")
_email: dict[str, Any] = _env.optional("EMAIL_URL", env.email, {})
_env.needs("NOTICE_EMAILS", "NOTICE_FROM", "EMAIL_URL")
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10  # seconds

PHONENUMBER_DEFAULT_REGION = PHONE_REGION
PHONENUMBER_DB_FORMAT = "E164"

# Shown by the system check `booking.checks.configuration`, which stops the start.
CONFIGURATION_PROBLEMS = tuple(_env.problems)
