"""System checks, so that a wrong configuration stops the start, not the first buyer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connection

from booking import brand

PATH = "booking.E005"


@register()
def configuration(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report each missing or invalid variable in one sentence."""
    return [Error(problem, id="booking.E001") for problem in settings.CONFIGURATION_PROBLEMS]


@register()
def look(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reject an unreadable accent colour and an invalid logo."""
    found: list[CheckMessage] = []
    if settings.ACCENT_COLOR:
        try:
            brand.palette(settings.ACCENT_COLOR)
        except ValueError as exc:
            found.append(Error(f"ACCENT_COLOR {exc}.", id="booking.E003"))
    if settings.LOGO_FILE:
        try:
            brand.picture(settings.LOGO_FILE)
        except ValueError as exc:
            found.append(Error(f"LOGO_FILE {exc}.", id="booking.E004"))
    return found


@register()
def paths(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Reject configured paths that collide with a page of the site."""
    from booking.urls import urlpatterns  # not before the applications are there

    ours = {str(each.pattern).partition("/")[0] for each in urlpatterns} - {""}
    ours.add(settings.STATIC_URL.strip("/"))
    chosen = {name: getattr(settings, name) for name in ("ADMIN_PATH", "METRICS_PATH")}
    found: list[CheckMessage] = [
        Error(f"{name} must not begin with a path of ours: {', '.join(sorted(ours))}.", id=PATH)
        for name, path in chosen.items()
        if path.partition("/")[0] in ours
    ]
    if chosen["METRICS_PATH"].startswith(chosen["ADMIN_PATH"]):
        found.append(Error("METRICS_PATH must not lie within ADMIN_PATH.", id=PATH))
    return found


@register()
def journal(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of a journal file that other users of the machine can read."""
    if connection.vendor != "sqlite":
        return []
    name = str(connection.settings_dict["NAME"])
    files = [Path(name + ending) for ending in ("", "-wal", "-shm")]
    return [
        Warning(
            f"Other users of this machine can open the journal: chmod 600 {file}",
            id="booking.W002",
        )
        for file in files
        if file.exists() and file.stat().st_mode & 0o077
    ]


@register(deploy=True)
def phone(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of a missing phone: the site works, but pages name no one to call."""
    if settings.SUPPORT_PHONE:
        return []
    return [
        Warning(
            "SUPPORT_PHONE is not set: a buyer who is stuck finds nobody to call.",
            id="booking.W001",
        )
    ]


@register(deploy=True)
def proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of an unset TRUSTED_PROXIES; only traffic shows it to be wrong (`client_address`)."""
    if settings.TRUSTED_PROXIES or not settings.SECURE_SSL_REDIRECT:
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is 0 with SECURE_SSL_REDIRECT: behind a proxy that ends HTTPS each"
            " page would redirect to itself. Set it to the number of proxies in front of the site.",
            id="booking.W003",
        )
    ]


@register(deploy=True)
def static_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Require the manifest of collectstatic, without which every page would fail.

    A deployment check, which `config.wsgi` runs, because commands must work before collectstatic.
    """
    # Other storages need no manifest.
    if getattr(staticfiles_storage, "hashed_files", True):
        return []
    return [
        Error(
            "The static files have not been collected: run manage.py collectstatic.",
            id="booking.E002",
        )
    ]
