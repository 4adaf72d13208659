"""Collects the texts of pages and code into the catalogues, and compiles them.

    messages.py          rewrite locale/*/LC_MESSAGES/django.po and .mo
    messages.py --check  exit 1 and say so if a catalogue lacks a text, is unsure of one or is stale

Needs GNU gettext. The compiled catalogues are committed: the site must run where gettext is absent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("booking", "templates", "locale")
LANGUAGES = ("ru",)


def main() -> int:
    if shutil.which("xgettext") is None:
        print(
            "GNU gettext is missing (Debian's package gettext): the catalogues were not looked at"
        )
        return 1 if os.environ.get("CI") or "--check" not in sys.argv else 0
    return _check() if "--check" in sys.argv else _rewrite()


def _rewrite() -> int:
    _collect(ROOT)
    for language in LANGUAGES:
        _compiled(language).write_bytes(_mo(_read(ROOT, language)))
    return _check()


def _check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in SOURCES:
            shutil.copytree(ROOT / name, copy / name)
        _collect(copy)
        complaints = [
            complaint for language in LANGUAGES for complaint in _complaints(copy, language)
        ]
    print("\n".join(complaints) or "The catalogues are complete.")
    return 1 if complaints else 0


def _complaints(fresh: Path, language: str) -> list[str]:
    kept, wanted = _read(ROOT, language), _read(fresh, language)
    missing = _ids(wanted) - _ids(kept)
    unsure = [m.id for m in kept if m.id and (m.fuzzy or not _is_translated(m.string))]
    complaints = [f"{language}: not in the catalogue: {text}" for text in sorted(missing)]
    complaints += [f"{language}: not translated: {text}" for text in unsure]
    if _compiled(language).read_bytes() != _mo(kept):
        complaints.append(f"{language}: the compiled catalogue is stale: run `make messages`")
    return complaints


def _is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def _ids(catalog: Catalog) -> set[str]:
    return {f"{message.id} ({message.context or ''})" for message in catalog if message.id}


def _collect(root: Path) -> None:
    command = [sys.executable, "-m", "django", "makemessages", "--no-obsolete", "--no-location"]
    # Without settings, which the copy of a tree would not have.
    env = {name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    for language in LANGUAGES:
        (root / "locale" / language).mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [*command, "--no-wrap", "-l", language],
            cwd=root,
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _read(root: Path, language: str) -> Catalog:
    path = root / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _mo(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def _compiled(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.mo"


if __name__ == "__main__":
    sys.exit(main())
