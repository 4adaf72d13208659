"""Read the environment. A wrong value becomes one sentence, never a traceback.

`settings.py` reads every variable through `Environment`. It collects missing and invalid values in
`problems` and substitutes harmless ones, so that Django loads and its system checks show all
sentences at once and stop the start (`booking.checks`, `config.wsgi`). No sentence repeats a value,
which might be a secret.
"""

from __future__ import annotations

import io
import ipaddress
import os
import re
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ
import phonenumbers
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

T = TypeVar("T")

ASSIGNMENT = re.compile(r"(export )?[A-Za-z0-9_]+=")


class Environment:
    """The variables of the process, then those of a `.env` file for development."""

    def __init__(self, env_file: Path) -> None:
        self.problems: list[str] = []
        self._load(env_file)

    def optional(self, name: str, parse: Callable[[str], T], default: T) -> T:
        text = self._text(name)
        return default if text is None else self._parsed(name, text, parse, default)

    def required(self, name: str, parse: Callable[[str], T], placeholder: T) -> T:
        """Return the value; `placeholder` lets Django load until the checks stop it."""
        text = self._text(name)
        if text is None:
            self.problems.append(f"{name} is not set.")
            return placeholder
        return self._parsed(name, text, parse, placeholder)

    def needs(self, name: str, *others: str) -> None:
        """Require the others if `name` is set."""
        if self._text(name):
            missing = [other for other in others if self._text(other) is None]
            self.problems += [f"{name} needs {other}, which is not set." for other in missing]

    def folder(self, name: str, path: Path) -> None:
        """Create the variable's folder, readable only by its owner."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            writable = os.access(path, os.W_OK)
        except OSError:
            writable = False
        if not writable:
            self.problems.append(
                f"{name} leads to a folder that cannot be written to"
                " (when it is not set: var, beside manage.py)."
            )

    def _load(self, env_file: Path) -> None:
        # Lines are checked first: django-environ logs a line that it can't parse, and the line may
        # hold a secret.
        try:
            lines = env_file.read_text("utf-8-sig").splitlines()
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError):
            self.problems.append(f"{env_file.name} cannot be read as a UTF-8 text file.")
            return
        for number, line in enumerate(lines, start=1):
            if ASSIGNMENT.match(line):
                environ.Env.read_env(io.StringIO(line))
            elif line.strip() and not line.startswith("#"):
                self.problems.append(f"{env_file.name}, line {number}, is not NAME=value.")

    def _text(self, name: str) -> str | None:
        # Not through Env.str, which takes a value with a leading "$" for another variable's name.
        return os.environ.get(name, "").strip() or self._text_of_file(f"{name}_FILE")

    def _text_of_file(self, name: str) -> str | None:
        """Read the file that a variable names, as Docker and Kubernetes pass secrets."""
        path = os.environ.get(name, "").strip()
        if not path:
            return None
        try:
            return Path(path).read_text("utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            self.problems.append(f"{name} must be the path of a readable text file.")
            return None

    def _parsed(self, name: str, text: str, parse: Callable[[str], T], fallback: T) -> T:
        try:
            return parse(text)
        except ValueError as exc:
            self.problems.append(f"{name} {exc}.")
            return fallback


def stop_on(problems: Iterable[str]) -> None:
    """Exit with the sentences, if there are any."""
    sentences = "\n".join(f"Cannot start: {problem}" for problem in problems)
    if sentences:
        sys.exit(sentences)


# Parsers. Each raises ValueError with the rest of a sentence that starts with the variable's name.


def boolean(text: str) -> bool:
    if text.lower() in environ.Env.BOOLEAN_TRUE_STRINGS:
        return True
    if text.lower() in {"false", "off", "n", "no", "0"}:
        return False
    raise ValueError("must be true or false")


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if re.fullmatch("[0-9]{1,9}", text) and least <= int(text) <= most:
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


def hosts(text: str) -> list[str]:
    """Host names for ALLOWED_HOSTS, without the wildcard for all."""
    names = words(text)
    if not names or any(re.search(r"[/*\s@]", name) for name in names):
        raise ValueError(
            "must be a comma-separated list of host names, without https:// and without *"
        )
    return names


def origins(text: str) -> list[str]:
    sentence = "must be a comma-separated list of origins such as https://example.com"
    for origin in words(text):
        url = _address(origin, sentence, "https", "http")
        if url.path or not _is_bare(url):
            raise ValueError(sentence)
    return words(text)


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
    """A key long and varied enough to sign with, by the thresholds of Django's check."""
    if len(text) < 50 or len(set(text)) < 5 or text.startswith("django-insecure-"):
        raise ValueError("must be a random text of at least 50 characters")
    return text


def time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError) as exc:
        raise ValueError("must name an IANA time zone, for example Asia/Yekaterinburg") from exc
    return text


def base_url(text: str) -> str:
    """The base URL of the CRM, or of the site."""
    sentence = "must be an https:// address without a path (http:// only on a loopback address)"
    url = _safe_address(text, sentence)
    if not _is_bare(url):
        raise ValueError(sentence)
    return f"{url.scheme}://{url.netloc}"


def _address(text: str, sentence: str, *schemes: str) -> SplitResult:
    """Split a URL with a host. Raises ValueError with the sentence."""
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - raises ValueError when the port makes no sense
    except ValueError as exc:
        raise ValueError(sentence) from exc
    if url.scheme not in schemes or not url.hostname or re.search(r"\s", text):
        raise ValueError(sentence)
    return url


def _safe_address(text: str, sentence: str) -> SplitResult:
    """Require https, or http to this machine, where the stand-in listens."""
    url = _address(text, sentence, "https", "http")
    if url.scheme == "http" and not _is_loopback(str(url.hostname)):
        raise ValueError(sentence)
    return url


def _is_bare(url: SplitResult) -> bool:
    return not (url.path.strip("/") or url.query or url.fragment or "@" in url.netloc)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def crm_domain(text: str) -> str:
    """The site's domain as registered in the CRM, part of every signature."""
    if any(mark in text for mark in "/:@? \t"):
        raise ValueError(
            "must be the bare domain registered in MacroCRM, without https:// or a slash"
        )
    return text


def own_path(text: str) -> str:
    """A path as Django's URLs want it: no leading slash, a trailing one."""
    parts = text.strip("/").split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_-]+", part) for part in parts):
        raise ValueError("must be a path of letters, digits, hyphens and underscores")
    return "/".join(parts) + "/"


def webhook_url(text: str) -> str:
    sentence = "must be an https:// address (http:// only on a loopback address)"
    url = _safe_address(text, sentence)
    if url.fragment or "@" in url.netloc or not text.isascii():
        raise ValueError(sentence)
    return text


def webhook_secret(text: str) -> str:
    if len(text) < 16:
        raise ValueError("must be a random text of at least 16 characters")
    return text


def email_address(text: str) -> str:
    """One e-mail address without a display name."""
    try:
        validate_email(text)
    except ValidationError as exc:
        raise ValueError("must be an e-mail address") from exc
    return text


def email_addresses(text: str) -> list[str]:
    found = words(text)
    try:
        return [email_address(address) for address in found]
    except ValueError as exc:
        raise ValueError("must be a comma-separated list of e-mail addresses") from exc


def email(text: str) -> dict[str, Any]:
    """A mail server."""
    sentence = "must be an address such as smtp+tls://user:password@mail.example.com:587"
    _address(text, sentence, "smtp", "smtp+tls", "smtp+ssl")
    config: dict[str, Any] = environ.Env.email_url_config(text)
    return config


def web_url(text: str) -> str:
    sentence = "must be a web address that starts with https:// or http://"
    if "@" in _address(text, sentence, "https", "http").netloc:
        raise ValueError(sentence)
    return text


def report_address(text: str) -> str:
    """A Sentry DSN."""
    sentence = "must be the DSN that Sentry shows, https://key@host/number"
    url = _address(text, sentence, "https", "http")
    if not url.username or not url.path.strip("/"):
        raise ValueError(sentence)
    return text


def phone(text: str) -> str:
    """A phone as shown, short numbers included."""
    if not re.fullmatch(r"\+?[\d\s()–-]+", text) or sum(c.isdigit() for c in text) < 3:
        raise ValueError("must be one phone number, of digits, spaces, brackets and hyphens")
    return text


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ValueError("must be a day such as 2026-11-26") from exc


def phone_region(text: str) -> str:
    """A country by the two letters of ISO 3166-1, whose phones are typed without its code."""
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be the two letters of a country, such as RU or KZ")
    return text


def database(text: str) -> dict[str, Any]:
    """A PostgreSQL database or an SQLite file, never one in memory."""
    sentence = (
        "must be an address such as postgres://user:password@host:5432/name"
        " or sqlite:////folder/file.sqlite3"
    )
    if not re.match("postgres(ql)?://|sqlite:///", text):
        raise ValueError(sentence)
    try:
        config: dict[str, Any] = environ.Env.db_url_config(text)
    except (ValueError, ImproperlyConfigured) as exc:
        raise ValueError(sentence) from exc
    if config["NAME"] in {"", ":memory:"}:
        raise ValueError(sentence)
    return config
