"""Which tests execute which lines of the package, and how long each test takes.

    python benchmarks/covered.py build/covered
    python benchmarks/covered.py build/covered tests/lower tests/sim

Runs the suite, or what is named of it, once under coverage.py, whose contexts name the tests, and
keeps what came out in a directory. ``mutants.py`` asks it which tests can notice a change of a line
at all. Takes about three times as long as the tests alone. Needs ``pytest-cov``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CONFIGURED = """
[run]
source = hetsim
parallel = true
data_file = {folder}/lines
"""


class Covered:
    """What a run of the suite told, kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        from coverage import CoverageData

        self._data = CoverageData(str(folder / "lines"))
        self._data.read()
        told = json.loads((folder / "tests.json").read_text(encoding="utf-8"))
        self.seconds: dict[str, float] = told["seconds"]
        """Of each test, named as pytest names it."""
        self._last: tuple[Path, dict[int, list[str]]] = (Path(), {})
        self._digests: dict[str, str] = told["digests"]
        self._measured = {_inside(Path(name)): name for name in self._data.measured_files()}

    def same(self, path: Path) -> bool:
        """Whether the file under the checkout is still what was run."""
        return self._digests.get(str(path)) == _digest(path)

    @cached_property
    def new_tests(self) -> list[str]:
        """Files of tests that are new or were changed since."""
        files = (f.relative_to(ROOT) for f in sorted((ROOT / "tests").rglob("test_*.py")))
        return [str(f) for f in files if not self.same(f)]

    def reaching(self, path: Path, lines: Iterable[int] | None) -> set[str]:
        """The tests that execute one of ``lines`` of a module, or any line of its functions."""
        contexts: dict[int, list[str]] = self._lines(path)
        wanted = contexts if lines is None else lines
        found: set[str] = set()
        for line in wanted:
            for context in contexts.get(line, ()):
                test, _, phase = context.partition("|")
                # What one test sets up, others of its file may use.
                found |= self.by_file[test.partition("::")[0]] if phase == "setup" else {test}
        return {t for t in found if t in self.seconds}

    @cached_property
    def by_file(self) -> dict[str, set[str]]:
        """All tests of each file."""
        found: dict[str, set[str]] = defaultdict(set)
        for test in self.seconds:
            found[test.partition("::")[0]].add(test)
        return found

    def _lines(self, path: Path) -> dict[int, list[str]]:
        if path != self._last[0]:  # asked for one module after the other
            name = self._measured.get(str(path))
            self._last = path, self._data.contexts_by_lineno(name) if name else {}
        return self._last[1]


class Timed:
    """A pytest plug-in that adds up the seconds of each test."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration


def _inside(path: Path) -> str:
    """The name of a file of the package within its checkout, wherever that was."""
    parts = path.parts
    return "/".join(parts[len(parts) - 1 - parts[::-1].index("hetsim") :])


def _digest(path: Path) -> str:
    place = ROOT / path
    return hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else ""


def run(folder: Path, tests: Iterable[str] = ()) -> None:
    """Runs ``tests``, or all, and keeps what they execute in ``folder``.

    Raises:
        SystemExit: a test fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rc").write_text(CONFIGURED.format(folder=folder.resolve()), encoding="utf-8")
    files = [*sorted((ROOT / "hetsim").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]
    digests = {str(f.relative_to(ROOT)): _digest(f.relative_to(ROOT)) for f in files}
    command = [sys.executable, __file__, str(folder), *tests, "--here"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "CI": "1"})
    if done.returncode:
        raise SystemExit("the suite does not pass")
    told = {"seconds": json.loads((folder / "seconds.json").read_text()), "digests": digests}
    (folder / "tests.json").write_text(json.dumps(told), encoding="utf-8")


def _here(folder: Path, tests: Iterable[str]) -> int:
    import pytest

    timed = Timed()
    options = ["--cov", f"--cov-config={folder / 'rc'}", "--cov-context=test", "--cov-report="]
    code = int(pytest.main([*options, "-p", "no:cacheprovider", *tests], plugins=[timed]))
    (folder / "seconds.json").write_text(json.dumps(timed.seconds), encoding="utf-8")
    return code


def main() -> int:
    """Runs the suite once."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tests", nargs="*", help="files or folders of tests (all)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        return _here(given.folder, given.tests)
    run(given.folder, given.tests)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
