"""Changes the heart of the site, one small change at a time, and counts what fast tests notice.

`make mutants SAMPLE=120 SEED=1`. Each change is tried in a copy of the tree against the tests named
below. Those that no test notices are printed: either they change nothing that matters, or a test is
missing. The same seed and code give the same changes.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.changes import Mutant, mutants_of
from tests.variables import ROOT

# A module -> the tests that should notice a change of it, those that notice most first.
HEART: dict[str, tuple[str, ...]] = {
    "booking/services/booking.py": (
        "tests/services/test_book.py",
        "tests/services/test_book_twice.py",
        "tests/services/test_flat_with_visit.py",
        "tests/services/test_settling.py",
        "tests/pages/test_steps.py",
        "tests/services/test_moves.py",
        "tests/services/test_strangers.py",
    ),
    "booking/services/imitated_refusals.py": ("tests/services/test_flat_with_visit.py",),
    "booking/services/settling.py": (
        "tests/services/test_settle.py",
        "tests/services/test_settling.py",
        "tests/services/test_book.py",
        "tests/staff/test_queue.py",
    ),
    "booking/services/visits.py": ("tests/services/test_wishes.py", "tests/services/test_moves.py"),
    "booking/services/change_requests.py": (
        "tests/services/test_wishes.py",
        "tests/services/test_moves.py",
    ),
    "booking/retention.py": ("tests/services/test_retention.py",),
    "booking/rate_limits.py": (
        "tests/services/test_limit_ends.py",
        "tests/services/test_limits.py",
        "tests/staff/test_limits.py",
    ),
    "booking/models/booking.py": (
        "tests/services/test_rows.py",
        "tests/project/test_project.py::test_no_migration_is_missing",
        "tests/models/test_visit_state.py",
        "tests/services/test_moves.py",
        "tests/pages/test_moved_visits.py",
        "tests/services/test_settle.py",
        "tests/services/test_retention.py",
        "tests/models/test_references.py",
        "tests/staff/test_log.py",
    ),
    "booking/models/visit_state.py": ("tests/models/test_visit_state.py",),
    "booking/crm/add_reply.py": ("tests/crm/test_verdicts.py", "tests/crm/test_cases.py"),
    "booking/availability/cache.py": ("tests/availability/test_cache.py",),
    "booking/availability/days.py": (
        "tests/pages/test_days.py",
        "tests/services/test_settling.py",
        "tests/availability/test_cache.py",
    ),
    "booking/availability/dates.py": (
        "tests/availability/test_dates.py",
        "tests/pages/test_days.py",
    ),
}
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:randomly", "--hypothesis-seed=0")
# A mutant may wait for ever: it gets three times what the tests take without it, and these seconds.
SLACK = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=120, help="how many changes to try")
    parser.add_argument("--seed", default="1")
    parser.add_argument("modules", nargs="*", default=list(HEART), help="of those in the table")
    options = parser.parse_args()
    all_of_them = [mutant for path in options.modules for mutant in mutants_of(path)]
    count = min(options.sample, len(all_of_them))
    sample = set(random.Random(options.seed).sample(all_of_them, count))
    print(f"{count} of {len(all_of_them)} changes, seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        _copy_to(tree)
        tried, killed = Counter[str](), Counter[str]()
        for path in options.modules:
            mutants = [mutant for mutant in all_of_them if mutant.path == path and mutant in sample]
            survivors = _survivors(path, mutants, tree)
            tried[path], killed[path] = len(mutants), len(mutants) - len(survivors)
            print(_share(path, killed[path], tried[path]))
            for mutant in survivors:
                print(f"{path}:{mutant.line}\n{mutant.difference()}", flush=True)
    for path in options.modules:
        print(_share(path, killed[path], tried[path]))
    print(_share("all", killed.total(), tried.total()))
    return 0


def _copy_to(tree: Path) -> None:
    """The files of the checkout as they are now, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def _survivors(path: str, mutants: Iterable[Mutant], tree: Path) -> list[Mutant]:
    began = time.monotonic()
    if _fails(HEART[path], tree, timeout=600):
        sys.exit(f"The tests of {path} fail without any change.")
    patience = 3 * (time.monotonic() - began) + SLACK
    original = (tree / path).read_text("utf-8")
    survivors = []
    for mutant in mutants:
        (tree / path).write_text(mutant.code, "utf-8")
        is_noticed = _fails(HEART[path], tree, timeout=patience)
        print("." if is_noticed else "S", end="", flush=True)
        if not is_noticed:
            survivors.append(mutant)
    print()
    (tree / path).write_text(original, "utf-8")
    return survivors


def _fails(tests: tuple[str, ...], tree: Path, timeout: float) -> bool:
    """Whether a test fails, or the run does not end in time."""
    run = subprocess.Popen(
        [sys.executable, *PYTEST, *tests],
        cwd=tree,
        # Of a file changed twice within a second the compiled one could be that of before. What a
        # run that was killed leaves in the folder of temporary files goes with the tree.
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tree.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return run.wait(timeout) != 0
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True


def _share(path: str, killed: int, tried: int) -> str:
    return f"{path}: {killed} of {tried} noticed, {100 * killed // max(tried, 1)} %"


if __name__ == "__main__":
    sys.exit(main())
