"""What runs of ours in one view: the functions, their files and the SQL statements.

`python -m bench.trace` prints them for a step 2 of which nothing is known yet and for the POST of a
confirmed booking; `--list` names each, too. What lies around every view is left out, and so are
the beginnings and ends of transactions.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OURS = tuple(f"{ROOT / folder}{os.sep}" for folder in ("booking", "config"))
# Parts of the function in which they stand.
INNER = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class Trace:
    """What ran, in the order in which it was first called; statements by the database's alias."""

    functions: dict[CodeType, None] = field(default_factory=dict)
    statements: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        files = {code.co_filename for code in self.functions}
        functions = f"{len(self.functions)} functions in {len(files)} files"
        counts = (f"{len(each)} of {alias}" for alias, each in self.statements.items())
        return f"{functions}, SQL statements: {', '.join(counts)}"


@contextmanager
def traced() -> Iterator[Trace]:
    """The calls of this thread and of those that begin within, and the statements of this one."""
    # Needs the settings.
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    trace = Trace()

    def note(frame: FrameType, event: str, _arg: Any) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(OURS)
        if event == "call" and is_ours and code.co_name not in INNER:
            trace.functions[code] = None

    with ExitStack() as stack:
        captured = {
            each.alias: stack.enter_context(CaptureQueriesContext(each))
            for each in connections.all()
        }
        threading.setprofile(note)
        sys.setprofile(note)
        try:
            yield trace
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    for alias, queries in captured.items():
        asked = (query["sql"] for query in queries.captured_queries)
        trace.statements[alias] = [sql for sql in asked if not sql.startswith(TRANSACTION)]


@contextmanager
def site() -> Iterator[Any]:
    """The site in this process, with a database of its own; yields the stand-in CRM beside it."""
    # The environment comes first.
    import django
    from django.core.management import call_command

    from standin import StandIn
    from tests.variables import NO_LIMITS, environment

    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="trace-"))
        standin = stack.enter_context(StandIn())
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.site_settings"
        os.environ |= environment(
            **NO_LIMITS,
            SECURE_SSL_REDIRECT="false",
            TIME_ZONE="Asia/Yekaterinburg",
            DATABASE_URL=f"sqlite:///{folder}/journal.sqlite3",
            MACROCRM_URL=standin.url,
            MACROCRM_DOMAIN=standin.domain,
            MACROCRM_APP_SECRET=standin.secret,
        )
        django.setup()
        call_command("migrate", verbosity=0)
        yield standin


def answered(method: str, path: str, fields: dict[str, str]) -> tuple[Any, Trace]:
    """The view's response, and what ran for it."""
    from django.test import RequestFactory
    from django.urls import resolve

    headers = {"Sec-Fetch-Site": "same-origin"}
    if method == "POST":
        request = RequestFactory().post(path, fields, headers=headers)
    else:
        request = RequestFactory().get(path, fields, headers=headers)
    request.resolver_match = match = resolve(path)
    with traced() as trace:
        response = match.func(request)
    return response, trace


def traces(standin: Any) -> Iterator[tuple[str, Trace]]:
    from tests.journey import HOUSE, answers, browser, fill_in

    starts = standin.free_starts(HOUSE)
    response, trace = answered("GET", "/time/", answers(starts[3]) | {"start": ""})
    if response.status_code != 200:
        raise RuntimeError(f"step 2 was answered {response.status_code}")
    yield "cold step 2", trace
    # The first press loads what a process loads once.
    for floor, start in enumerate(starts[:2], start=2):
        form = fill_in(browser(), start, flat=f"1.8-{floor}-1")
        response, trace = answered("POST", "/confirm/", form)
        if not response.headers.get("Location", "").startswith("/bookings/"):
            raise RuntimeError(f"a booking was answered {response.status_code}")
    yield "POST of a confirmed booking", trace


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.trace", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name each of them")
    asked = parser.parse_args()
    with site() as standin:
        for name, trace in traces(standin):
            sys.stdout.write(f"{name}: {trace}\n")
            if asked.list:
                sys.stdout.writelines(f"  {line}\n" for line in _lines(trace))
    return 0


def _lines(trace: Trace) -> Iterator[str]:
    for code in trace.functions:
        path = Path(code.co_filename).relative_to(ROOT)
        yield f"{path}:{code.co_firstlineno} {code.co_qualname}"
    for alias, statements in trace.statements.items():
        yield from (f"{alias}: {sql}" for sql in statements)


if __name__ == "__main__":
    sys.exit(main())
