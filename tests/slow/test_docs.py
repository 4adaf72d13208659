"""The guides in docs/: their commands are run, and what they name is there."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from prometheus_client import REGISTRY, Counter, Histogram

from booking.observability import metrics
from booking.observability.middleware import METRICS, STATIC
from tests.journey import text_of
from tests.processes import free_port
from tests.shell import run
from tests.variables import ROOT

DOCS = ROOT / "docs"
# All that a release needs to run.
RELEASE = ("booking", "config", "locale", "static", "templates", "manage.py", "gunicorn.conf.py")


def blocks(guide: str, mark: str) -> list[str]:
    """The commands of a guide that carry this mark, in order."""
    text = (DOCS / guide).read_text("utf-8")
    return re.findall(rf"^<!-- {mark} -->\n```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """A release in a folder of its own, where nothing has been run yet."""
    for name in RELEASE:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def django(code: str) -> str:
    """The command that runs this code with the site loaded."""
    return f"""python - <<'END'
import os, uuid
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()
from django.contrib.auth.models import User
from django.utils import timezone
from booking.models import Booking
{code}
END"""


def with_a_visit(commands: list[str]) -> Iterator[str]:
    """The same, and a page is asked for while the site runs."""
    for command in commands:
        yield command
        if command.startswith("gunicorn"):
            yield re.sub(r"(?s).*curl", "curl", command).replace("/readyz/", "/admin/")


def test_the_operators_guide_step_by_step_in_an_empty_folder(empty_folder):
    port = str(free_port())
    commands = [block.replace("8000", port) for block in blocks("operate.md", "run")]
    assert len(commands) == 7

    printed = run([*with_a_visit(commands)], empty_folder)

    assert "ready" in printed
    assert "System check identified no issues" in printed
    assert "0 became in doubt, 0 looked at again" in printed
    assert (empty_folder / ".env").stat().st_mode & 0o777 == 0o600
    # The site's own lines, not gunicorn's alone.
    assert "booking.observability.middleware" in {line["logger"] for line in log_of(empty_folder)}
    (password,) = re.findall("first password: (.+)", printed)
    right = django(f"print(User.objects.get().check_password({password!r}))")
    assert run([right], empty_folder) == "True\n"


def log_of(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "var" / "site.log").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


PUT = """now = timezone.now()
usual = {"outcome": "confirmed", "starts_at": now, "deadline_at": now}
Booking.objects.create(key=uuid.uuid4(), flat="1.8-12-1", **usual)"""
REMOVE = "Booking.objects.all().delete()"
COUNT = "print(Booking.objects.filter(flat='1.8-12-1').count(), 'in the journal')"
needs_postgresql = pytest.mark.skipif(
    "TESTS_DATABASE_URL" not in os.environ, reason="needs PostgreSQL: make test-services"
)


@pytest.mark.parametrize("database", ["SQLite", pytest.param("PostgreSQL", marks=needs_postgresql)])
def test_what_is_backed_up_can_be_restored(empty_folder, database):
    environment = blocks("operate.md", "run")[0]
    (back_up,) = blocks("operate.md", f"run to back up {database}")
    (restore,) = blocks("operate.md", f"run to restore {database}")
    address = os.environ["TESTS_DATABASE_URL"] if database == "PostgreSQL" else ""
    migrate = "python manage.py migrate --verbosity 0"
    # Days later, in another shell.
    first = [environment, migrate, django(PUT), "umask 022", back_up]
    then = [django(REMOVE), django(COUNT), restore, django(COUNT)]

    printed = run([*first, *then], empty_folder, DATABASE_URL=address)

    assert re.findall(r"(\d) in the journal", printed) == ["0", "1"]
    assert "0 became in doubt, 0 looked at again" in printed
    name = "journal.dump" if address else "backup/journal.sqlite3"
    backup = empty_folder / name
    assert backup.stat().st_mode & 0o777 == 0o600


def test_every_command_is_run_but_those_that_the_operators_guide_excepts():
    text = (DOCS / "operate.md").read_text("utf-8")
    install, *others = re.findall(r"(?<!-->\n)^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    assert install.count("\n") == 3
    assert {block for block in others if "docker" not in block} == {"python manage.py crm_doctor\n"}


def test_the_example_of_a_link_prints_what_the_guide_says(tmp_path):
    (command,) = blocks("link-to-it.md", "run")

    printed = run([command], tmp_path)

    assert f"prints `{printed.strip()}`" in (DOCS / "link-to-it.md").read_text("utf-8")


LINKS = re.findall(r"\| `(/[^`]*)` \|", (DOCS / "link-to-it.md").read_text("utf-8"))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.django_db
def test_each_link_of_the_guide_leads_where_it_says(client, standin, link):
    response = client.get(link, follow=True)

    assert response.status_code == 200
    address = response.redirect_chain[-1][0] if response.redirect_chain else link
    assert urlsplit(address).path == ("/time/" if "flat=1.8" in link else "/")
    assert ('<html lang="en"' in text_of(response)) == ("lang=en" in link)


def test_every_guide_links_to_files_that_are_there():
    for guide in [*DOCS.rglob("*.md"), ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", guide.read_text("utf-8")):
            assert (guide.parent / target).exists(), f"{guide.name}: {target}"


def test_files_that_the_operators_guide_names_are_there():
    text = (DOCS / "operate.md").read_text("utf-8")
    named = set(re.findall(r"`(deploy/[\w.-]+|[\w.]+\.(?:yaml|py))`", text))

    secret = {"deploy/site.env"}
    assert named
    assert not [name for name in named - secret if not (ROOT / name).exists()]


# What watches


# What of a route is no view's name.
NO_VIEWS = {"none", STATIC, METRICS}


def families() -> dict[str, set[str]]:
    """Every figure that the site can tell, by the name that Prometheus keeps, with its labels."""
    found = {"handover_bookings": {"state"}, "handover_bookings_overdue": set()}
    for collector in vars(metrics).values():
        if isinstance(collector, Counter | Histogram):
            for family in collector.collect():
                ending = "_total" if family.type == "counter" else ""
                found[family.name + ending] = set(collector._labelnames)
    return found


def asked(file: str) -> list[tuple[str, dict[str, str]]]:
    """The figures that a file asks for, each with the labels by which it chooses."""
    text = (ROOT / "deploy" / file).read_text("utf-8").replace('\\"', '"')
    figures = re.findall(r"(handover_\w+)(?:\{([^}]*)\})?", text)
    return [
        (name.removesuffix("_bucket"), dict(re.findall(r'(\w+)[=!]~?"([^"]*)"', labels)))
        for name, labels in figures
    ]


def test_the_guide_lists_every_figure():
    table = re.findall(r"^\| `(handover_\w+)`", (DOCS / "operate.md").read_text("utf-8"), re.M)

    assert set(table) == families().keys()
    assert REGISTRY.get_sample_value("handover_database_away_total") is not None


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])
def test_what_watches_asks_for_figures_that_there_are(file):
    told = families()

    assert len(asked(file)) >= 8
    for name, labels in asked(file):
        assert labels.keys() <= told[name], name
        for route in {*labels.get("route", "none").split("|")} - NO_VIEWS:
            assert reverse(route)


def test_the_guide_says_what_to_do_about_every_alert():
    alerts = (ROOT / "deploy" / "alerts.yaml").read_text("utf-8")
    table = re.findall(r"^\| `([A-Z]\w+)` \|", (DOCS / "operate.md").read_text("utf-8"), re.M)

    assert table == re.findall(r"- alert: (\w+)", alerts)


def test_the_dashboard_is_json_with_a_query_in_every_panel():
    dashboard = json.loads((ROOT / "deploy" / "dashboard.json").read_text("utf-8"))

    assert all(panel["targets"][0]["expr"] for panel in dashboard["panels"])


# The guide for staff


def test_the_guide_for_staff_names_things_as_the_desk_does():
    """What stands in «…» is a text of the pages."""
    guide = (DOCS / "staff.ru.md").read_text("utf-8")
    catalogue = (ROOT / "locale" / "ru" / "LC_MESSAGES" / "django.po").read_text("utf-8")
    told = set(re.findall(r'^msgstr(?:\[\d\])? "(.+)"$', catalogue, re.MULTILINE))

    named = set(re.findall(r"«([^»]+)»", guide))

    assert len(named) >= 15
    assert named - told == set()
