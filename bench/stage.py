"""The site as it is deployed, beside a stand-in CRM: processes that end with the stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from tests.processes import HOST, Site, StandInProcess
from tests.torture.browser import Browser, Page

CONCURRENCY = 4


@dataclass(frozen=True, slots=True)
class Stage:
    standin: StandInProcess
    site: Site

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.site.port}{path}"

    def browser(self) -> Browser:
        return Browser(HOST, self.site.port, address=HOST)

    def page(self, path: str, *, status: int = 200) -> Page:
        """Raises RuntimeError for another status: what is measured must be what is meant."""
        page = self.browser().get(path)
        if page.status != status:
            raise RuntimeError(f"{path} answered {page.status}, not {status}")
        return page

    def calls(self) -> dict[str, int]:
        """How often the CRM was called since its start, by method."""
        counts: dict[str, int] = self.standin.requests()["counts"]
        return counts


@contextmanager
def stage(folder: Path, *estate: str) -> Iterator[Stage]:
    """`estate` is what the stand-in's command is told: `--houses`, `--latency` and so on."""
    own = _folder(folder)
    with ExitStack() as stack:
        standin = stack.enter_context(StandInProcess(own, *estate))
        site = stack.enter_context(site_of(own, standin, static=folder / "static"))
        yield Stage(standin, site)


def site_of(
    folder: Path, standin: StandInProcess, *, static: Path, workers: int = 2, database_url: str = ""
) -> Site:
    """A site that is about to be started; `static` may hold the collected files already."""
    variables = {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "BENCH_STATIC_ROOT": str(static),
        "MACROCRM_CONCURRENCY": str(CONCURRENCY),
        # The defaults of the site.
        "MACROCRM_CONNECT_TIMEOUT": "",
        "MACROCRM_READ_TIMEOUT": "",
        # All buyers come from one address here.
        "PLACES_PER_CLIENT": "20",
    }
    site = Site(
        folder=folder,
        crm_url=standin.url,
        database_url=database_url or f"sqlite:///{folder / 'journal.sqlite3'}",
        workers=workers,
        variables=variables,
    )
    if not (static / "staticfiles.json").exists():
        site.manage("collectstatic", "--noinput", "--verbosity", "0")
    return site


def _folder(parent: Path) -> Path:
    # Not named by the section: a section may need several.
    return Path(mkdtemp(dir=parent))
