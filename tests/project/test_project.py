"""Promises about the repository itself."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from django.core.management import call_command
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests import variables
from tests.variables import ROOT

# Made by tools, or a developer's own.
NOT_OURS = re.compile(r"\.(git|venv|env|hypothesis)|var|staticfiles|node_modules|.*_?cache(__)?")
BINARY = {".mo", ".png", ".ico", ".jpg"}
MODULES = sorted(ROOT.glob("booking/**/*.py"))


def our_files() -> Iterator[Path]:
    """Every text file of the project, but for this one, which spells out what it looks for."""
    for path in sorted(ROOT.rglob("*")):
        generated = any(NOT_OURS.fullmatch(part) for part in path.relative_to(ROOT).parts)
        if generated or path.suffix in BINARY or path == Path(__file__).resolve():
            continue
        if path.is_file():
            yield path


def files_with(pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        str(path.relative_to(ROOT)) for path in our_files() if found.search(path.read_text("utf-8"))
    ]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The dotted names a module imports, wherever in the module it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            whole = node.module == "booking"
            found |= {f"booking.{a.name}" for a in node.names} if whole else {str(node.module)}
    return found


def room_of(name: str) -> str:
    """`booking.crm.client` -> `crm`."""
    return name.split(".")[1] if "." in name else name


def layers() -> list[set[str]]:
    """The table of CONTRIBUTING.md, from the top down."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| [\w, ]+ \| (`.+`) \|$", text, re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", row)) for row in rows]


def rooms() -> dict[str, set[str]]:
    """Each module of `booking`, and those it imports; a package counts as one module."""
    found: dict[str, set[str]] = {}
    for path in MODULES:
        room = room_of(name_of(path))
        ours = {room_of(name) for name in imports(path) if name.startswith("booking.")}
        found.setdefault(room, set()).update(ours - {room})
    return found


def test_each_module_stands_in_one_layer():
    listed = [room for layer in layers() for room in layer]

    assert sorted(listed) == sorted(rooms().keys() - {"booking"})


def test_imports_run_down_the_layers():
    depth = {room: number for number, layer in enumerate(layers()) for room in layer}

    upwards = {
        (room, other)
        for room, others in rooms().items()
        for other in others
        if depth[other] < depth[room]
    }

    assert upwards == set()


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter(rooms()).prepare()  # raises CycleError


def test_the_crm_package_is_entered_by_its_door():
    outside = [path for path in MODULES if room_of(name_of(path)) != "crm"]

    past_the_door = {
        name_of(path)
        for path in outside
        if any(name.startswith("booking.crm.") for name in imports(path))
    }

    assert not past_the_door


def test_the_stand_in_shares_no_code_with_the_site():
    used = {
        name.split(".")[0]
        for path in [*ROOT.glob("standin/*.py"), *ROOT.glob("standin/management/**/*.py")]
        for name in imports(path)
    }
    used_by_the_site = {
        name.split(".")[0]
        for path in [*MODULES, *ROOT.glob("config/*.py")]
        for name in imports(path)
    }

    # Django runs its command.
    assert used <= sys.stdlib_module_names | {"standin", "django"}
    assert "standin" not in used_by_the_site


def test_the_crm_package_knows_nothing_of_django():
    used = {name for path in ROOT.glob("booking/crm/*.py") for name in imports(path)}

    assert not {name for name in used if name.split(".")[0] in {"django", "config"}}


def test_only_the_crm_client_and_the_webhook_import_requests():
    sources = [*MODULES, *ROOT.glob("config/*.py"), *ROOT.glob("scripts/*.py")]

    users = {name_of(path) for path in sources if "requests" in imports(path)}

    assert users == {"booking.crm.client", "booking.notices"}


def test_every_variable_is_documented():
    example = (ROOT / ".env.example").read_text("utf-8")

    listed = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert listed == variables.names() | variables.GUNICORN


def test_the_readme_lists_every_variable():
    readme = (ROOT / "README.md").read_text("utf-8")

    listed = set(re.findall(r"^\| `([A-Z_]+)`", readme, re.MULTILINE))
    assert listed == variables.names() | variables.GUNICORN


def test_no_file_names_a_place_on_somebodys_machine():
    assert files_with(re.escape(str(ROOT)) + r"(?!\w)|/(?:home|root|Users)/\w") == []


def test_nothing_is_left_to_do_in_a_comment():
    assert files_with(r"\b(?:TODO|FIXME|XXX)\b") == []


@pytest.mark.parametrize("command", ["attack", "mutants", "outages", "soak", "torture"])
def test_what_is_run_by_hand_starts_without_settings(command):
    module = f"tests.{command}.__main__"
    done = subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, env={})
    assert done.returncode == 0


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


LOCKS = ("requirements.txt", "requirements-dev.txt")


def entries(lock: str) -> list[str]:
    """The lock's logical lines, one for each package."""
    return (ROOT / lock).read_text("utf-8").replace("\\\n", "").splitlines()


def pinned(lock: str) -> dict[str, Version]:
    pins = (Requirement(entry.split("--hash", maxsplit=1)[0]) for entry in entries(lock))
    return {canonicalize_name(pin.name): Version(str(pin.specifier)[2:]) for pin in pins}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock):
    whole = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==[\w.!+]+( ; [^@:]+)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )

    assert [entry for entry in entries(lock) if not whole.fullmatch(entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_satisfies_the_project(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"]["dependencies"])
    if lock == "requirements-dev.txt":
        wanted += project["dependency-groups"]["dev"]
    pins = pinned(lock)

    unmet = [
        need
        for need in map(Requirement, wanted)
        if pins.get(canonicalize_name(need.name), Version("0")) not in need.specifier
    ]

    assert unmet == []


def test_an_audit_leaves_a_developers_packages_alone():
    done = subprocess.run(
        ["make", "--dry-run", "audit"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "pip-audit==" in done.stdout
    assert ".venv" not in done.stdout


def test_the_site_is_tested_with_the_versions_it_runs_with():
    assert pinned("requirements.txt").items() <= pinned("requirements-dev.txt").items()


def test_the_changelog_knows_the_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    assert f"## [{project['project']['version']}]" in changelog
