"""Do the tests bite? Breaks the code in small ways, one at a time, and runs the tests on each.

    python benchmarks/mutants.py --sample 3 --seed 1 --workers 2
    python benchmarks/mutants.py --modules hetsim/sim/cores.py:46

Works in temporary copies, never in the checkout. What is changed: comparisons and their
boundaries, arithmetic, the constants 0, 1, True and False, conditions (negated), ``and``/``or``,
``min``/``max``, and statements without which the rest still runs (dropped). A mutant meets the
tests that execute its line (``covered.py`` told, and is run first when it has not), quick ones
first, then the other tests of those files and of the files that name its module, as long as all of
them together take no more than ``--limit`` seconds. Files of tests that changed since are run
whole. The first failure kills it, and so does running five times as long as the tests take on sound
code, if they pass there when run again in the same way. Prints for each module how many were tried
and killed, and every survivor with its place and what was changed; a line that no test executes is
told as such. Needs fork (Linux, macOS) and ``pytest-cov``.
"""

from __future__ import annotations

import argparse
import atexit
import compileall
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from py_compile import PycInvalidationMode

from covered import Covered
from covered import run as cover
from mutations import ROOT, Mutant, Source

ROOMS = ("sim", "lower", "cost", "schedulers", "bounds", "plan")
PATIENCE, GRACE_S = 5.0, 20.0
"""A run may take so many times what sound code takes, and so many seconds more."""
SHORT_S = 5.0
"""The tests of the first run together; those that are left wait for whether it lives."""
COLLECTING_S = 4.0
"""To import hetsim and find the tests, at most."""


@dataclass(frozen=True)
class Verdict:
    """What came of a mutant: how many tests reach its line, and whether it was killed."""

    mutant: Mutant
    reached: int
    killed: bool


class Bench:
    """A copy of the checkout in which tests run in forks of this process."""

    def __init__(self, copy: Path, covered: Covered, limit_s: float) -> None:
        self.copy = copy
        self.covered = covered
        self.limit_s = limit_s
        self._sound: dict[tuple[str, ...], bool] = {}
        left = ("__pycache__", ".git", ".venv", ".nox", ".*_cache", ".hypothesis", "*.egg-info")
        left += ("results", "site", "dist", "build")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*left))
        # By hash: two mutants of equal length within a second must not share compiled code.
        compileall.compile_dir(
            copy / "hetsim", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH
        )

    def judged(self, mutant: Mutant, source: Source) -> Verdict:
        """Whether a test fails, or never ends, with ``mutant`` in place."""
        place = self.copy / mutant.path
        lines = source.reach(mutant)
        reaching = self.covered.reaching(mutant.path, lines or None)
        try:
            for tests in self._stages(mutant.path, reaching):
                place.write_text(mutant.apply(source.text), encoding="utf-8")
                passed = self._passes(tests)
                place.write_text(source.text, encoding="utf-8")
                if not passed and self._are_sound(tests):
                    return Verdict(mutant, len(reaching), True)
        finally:
            place.write_text(source.text, encoding="utf-8")
        return Verdict(mutant, len(reaching), False)

    def _are_sound(self, tests: Sequence[str]) -> bool:
        """Whether ``tests`` pass where nothing was changed: what fails there tells nothing."""
        key = tuple(tests)
        if key not in self._sound:
            self._sound[key] = self._passes(tests)
            if not self._sound[key]:
                print(f"without any change these fail: {' '.join(key)[:500]}", flush=True)
        return self._sound[key]

    def _stages(self, path: Path, reaching: set[str]) -> Iterator[list[str]]:
        """Tests in turn, none twice: new files, quick ones near it that reach it, others."""
        dotted = ".".join(path.with_suffix("").parts)
        naming = re.compile(rf"\b{re.escape(dotted)}\b(?!\.\w)")
        new = [
            f
            for f in self.covered.new_tests
            if f.startswith(f"tests/{path.parts[1]}/") or naming.search(self._text(f))
        ]
        if new:
            yield new
        seconds, files = self.covered.seconds, self.covered.by_file
        changed = set(self.covered.new_tests)
        named_in = {f for f in files if naming.search(self._text(f))}
        near = {t for t in reaching if _file(t) in named_in}
        beside = {t for f in named_in | {_file(t) for t in reaching} for t in files[f]}
        left = self.limit_s
        late: list[str] = []
        for group in (near, reaching - near, beside - reaching):
            stage, spent = [], 0.0
            for test in sorted(group, key=lambda t: (seconds[t], t)):
                if _file(test) in changed or seconds[test] > left:
                    continue
                left -= seconds[test]
                spent += seconds[test]
                (stage if spent < SHORT_S else late).append(test)
            if stage:
                yield sorted(stage, key=_file)  # what a file sets up is then set up once
        if late:
            yield sorted(late, key=_file)

    def _text(self, file: str) -> str:
        place = self.copy / file
        return place.read_text(encoding="utf-8") if place.exists() else ""

    def _passes(self, tests: Sequence[str]) -> bool:
        begun = time.monotonic()
        seconds = sum(self.covered.seconds.get(t, SHORT_S) for t in tests)
        limit = PATIENCE * (seconds + COLLECTING_S) + GRACE_S
        child = os.fork()
        if not child:
            os.setsid()
            _test(self.copy, tests)
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status) == 0
            if time.monotonic() - begun > limit:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return False
            time.sleep(0.02)


def _file(test: str) -> str:
    return test.partition("::")[0]


def _test(copy: Path, tests: Iterable[str]) -> None:
    """In a fork: runs tests and ends the process."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ.update(PYTHONPATH=str(copy), CI="1")
    sys.dont_write_bytecode = False  # what pytest makes of a test file is made once
    code = 2
    try:
        import pytest

        options = ["-n", "0", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
        code = int(pytest.main([*options, *tests]))
    finally:
        os._exit(0 if code in (0, 5) else 1)  # 5: nothing collected


def _preload() -> None:
    """What every run imports and no mutant touches."""
    for name in ("pytest", "hypothesis", "numpy", "scipy.optimize", "pydantic", "yaml", "simpy",
                 "onnx", "networkx", "rich.table", "jinja2", "matplotlib"):  # fmt: skip
        try:
            __import__(name)
        except ImportError:
            continue


class Judge:
    """One of the processes that judge mutants, each with a copy of its own."""

    bench: Bench
    ends: float

    @classmethod
    def begin(cls, covered: Path, limit_s: float, ends: float) -> None:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        cls.bench, cls.ends = Bench(Path(folder) / "copy", Covered(covered), limit_s), ends

    @classmethod
    def verdict(cls, mutant: Mutant) -> Verdict | None:
        """``None`` when time is up."""
        if time.monotonic() > cls.ends:
            return None
        return cls.bench.judged(mutant, Source(mutant.path))


def modules_of(words: list[str]) -> dict[Path, set[int]]:
    """Modules by rooms, folders, files, or files with ``:line``; no lines mean all."""
    found: dict[Path, set[int]] = {}
    for word in words:
        name, _, line = word.partition(":")
        place = ROOT / name if (ROOT / name).exists() else ROOT / "hetsim" / name
        if not place.exists():
            raise SystemExit(f"there is no module or room {name!r}")
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            lines = found.setdefault(file.relative_to(ROOT), set())
            if line:
                lines.add(int(line))
    return found


def drawn(modules: dict[Path, set[int]], sample: int, seed: int) -> list[Mutant]:
    """``sample`` mutants of each module, or all of the lines that are named."""
    chosen: list[Mutant] = []
    for path, lines in modules.items():
        mutants = [m for m in Source(path).mutants() if not lines or m.line in lines]
        if sample and not lines and len(mutants) > sample:
            mutants = random.Random(f"{seed} {path}").sample(mutants, sample)
        chosen += sorted(mutants, key=lambda m: m.start)
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Tries a sample of each module's mutants; returns 1 when one survives."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=3, help="mutants of each module (0: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="+", default=list(ROOMS), help="rooms, files, file:line")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no more after so long")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of tests for a mutant")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--covered", type=Path, default=ROOT / "build" / "covered",
                        help="what covered.py made, or makes now")  # fmt: skip
    options = parser.parse_args(arguments)
    mutants = drawn(modules_of(options.modules), options.sample, options.seed)
    if not (options.covered / "tests.json").exists():
        cover(options.covered)
    covered = Covered(options.covered)
    for path in {m.path for m in mutants if not covered.same(m.path)}:
        raise SystemExit(f"{path} changed since {options.covered} was made: remove that first")
    _preload()
    ends = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    given = (options.covered, options.limit, ends)
    with ProcessPoolExecutor(
        options.workers, get_context("fork"), initializer=Judge.begin, initargs=given
    ) as pool:
        verdicts = [v for v in map(_told, pool.map(Judge.verdict, mutants)) if v]
    killed = sum(v.killed for v in verdicts)
    for path in dict.fromkeys(m.path for m in mutants):
        own = [v for v in verdicts if v.mutant.path == path]
        print(f"{path}: tried {len(own)}, killed {sum(v.killed for v in own)}")
    if len(verdicts) < len(mutants):
        print(f"time was up before {len(mutants) - len(verdicts)} more")
    if verdicts:
        print(f"all: tried {len(verdicts)}, killed {killed} ({killed / len(verdicts):.1%})")
    return 1 if killed < len(verdicts) else 0


def _told(verdict: Verdict | None) -> Verdict | None:
    """Prints a survivor as soon as it is known."""
    if verdict and not verdict.killed:
        print(verdict.mutant.told(Source(verdict.mutant.path).text), flush=True)
        if not verdict.reached:
            print("      no test executes this line", flush=True)
    return verdict


if __name__ == "__main__":
    raise SystemExit(main())
