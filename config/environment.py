"""Reading the environment: a wrong value becomes one sentence, never a traceback.

`settings.py` reads every variable through `Environment`. What is missing or makes no sense is
collected in `problems` and replaced by a harmless value, so that Django can load far enough for its
system checks to show all the sentences at once and stop the start (`booking.checks`, `config.wsgi`).
No sentence repeats a value: it might be a secret.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ

T = TypeVar("T")


class Environment:
    """Variables of the process, over those of a `.env` file for development."""

    def __init__(self, env_file: Path) -> None:
        self._env = environ.Env()
        self._env.read_env(env_file)
        self.problems: list[str] = []

    def optional(self, name: str, parse: Callable[[str], T], default: T) -> T:
        text = self._text(name)
        return default if text is None else self._parsed(name, text, parse, default)

    def required(self, name: str, parse: Callable[[str], T], placeholder: T) -> T:
        """The variable's value; `placeholder` only lets Django load until the checks stop it."""
        text = self._text(name)
        if text is None:
            self.problems.append(f"{name} is not set.")
            return placeholder
        return self._parsed(name, text, parse, placeholder)

    def _text(self, name: str) -> str | None:
        text = self._env.str(name, default="").strip()
        return text or None

    def _parsed(self, name: str, text: str, parse: Callable[[str], T], fallback: T) -> T:
        try:
            return parse(text)
        except ValueError as exc:
            self.problems.append(f"{name} {exc}.")
            return fallback


# Parsers: each raises ValueError with the rest of the sentence that starts with the variable's name.


def boolean(text: str) -> bool:
    if text.lower() in environ.Env.BOOLEAN_TRUE_STRINGS:
        return True
    if text.lower() in {"false", "off", "n", "no", "0"}:
        return False
    raise ValueError("must be true or false")


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"must be a whole number from {least} to {most}")

    return parse


def seconds(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        sentence = f"must be a number of seconds from {least} to {most}"
        try:
            value = float(text)
        except ValueError as exc:
            raise ValueError(sentence) from exc
        if not least <= value <= most:
            raise ValueError(sentence)
        return value

    return parse


def words(text: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


def some_of(allowed: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = list(dict.fromkeys(words(text)))
        if not chosen or not set(chosen) <= set(allowed):
            raise ValueError(f"must be a comma-separated choice of {', '.join(allowed)}")
        return chosen

    return parse


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.upper() not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text.upper()

    return parse


def secret_key(text: str) -> str:
    """Long and varied enough to sign with (the thresholds are those of Django's deployment check)."""
    if len(text) < 50 or len(set(text)) < 5:
        raise ValueError("must be a random text of at least 50 characters")
    return text


def time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError) as exc:
        raise ValueError("must name an IANA time zone, for example Asia/Yekaterinburg") from exc
    return text


def crm_url(text: str) -> str:
    """An https address; plain http only towards this machine, where the stand-in listens."""
    sentence = "must be an https:// address without a path (http:// only on a loopback address)"
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - raises ValueError when the port makes no sense
    except ValueError as exc:
        raise ValueError(sentence) from exc
    plain_but_local = url.scheme == "http" and _is_loopback(url.hostname)
    if not (url.scheme == "https" or plain_but_local) or not url.hostname:
        raise ValueError(sentence)
    if url.path.strip("/") or url.query or url.fragment or url.username is not None:
        raise ValueError(sentence)
    return f"{url.scheme}://{url.netloc}"


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def crm_domain(text: str) -> str:
    """The site's name as it stands in the CRM, where it is a part of every signature."""
    if any(mark in text for mark in "/:@? \t"):
        raise ValueError("must be the bare domain registered in MacroCRM, without https:// or a slash")
    return text


def web_url(text: str) -> str:
    if urlsplit(text).scheme not in {"https", "http"} or not urlsplit(text).netloc:
        raise ValueError("must be a web address that starts with https://")
    return text


def database(text: str) -> dict[str, object]:
    sentence = "must be an address such as postgres://user:password@host:5432/name"
    try:
        config: dict[str, object] = environ.Env.db_url_config(text)
    except Exception as exc:  # django-environ lets several kinds of errors out of this parser
        raise ValueError(sentence) from exc
    if not config.get("ENGINE"):
        raise ValueError(sentence)
    return config


def cache(text: str) -> dict[str, object]:
    try:
        config: dict[str, object] = environ.Env.cache_url_config(text)
    except Exception as exc:  # as above
        raise ValueError("must be an address such as redis://host:6379/0") from exc
    return config
