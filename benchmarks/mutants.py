"""Do the tests bite? Breaks the code in small ways, one at a time, and runs the tests on each.

    python benchmarks/mutants.py --sample 3 --seed 1 --modules sim bounds
    python benchmarks/mutants.py --modules hetsim/sim/cores.py:46

Works in a temporary copy, never in the checkout. What is changed: comparisons and their
boundaries, arithmetic, the constants 0, 1, True and False, conditions (negated), ``and``/``or``,
``min``/``max``, and statements without which the rest still runs (dropped). Each mutant meets
first the tests that name its module, then those of its room, then slow and wider ones. The first
failure kills it, and so does running five times as long as the tests take on sound code. Tests that
take longer than ``--limit`` seconds on sound code are left out, and that is told. Prints for each
module how many were tried and killed, and every survivor with its place and what was changed.
Needs fork (Linux, macOS).
"""

from __future__ import annotations

import argparse
import ast
import compileall
import itertools
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("sim", "lower", "cost", "schedulers", "bounds", "plan")
WIDER = ("tests/test_invariants.py", "tests/sim", "tests/schedulers", "tests/runs")
PATIENCE, GRACE_S = 5.0, 20.0
"""A run may take so many times what sound code takes, and so many seconds more."""

COMPARISONS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not",
    "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "//", "**": "*", "&": "|",
              "|": "&", "<<": ">>", ">>": "<<"}  # fmt: skip
OPERATOR = re.compile(r"is\s+not|not\s+in|is|in|\*\*|//|<<|>>|[<>=!]=|[-+*/%<>&|]|and|or")
CONSTANTS = {"0": "1", "1": "0", "0.0": "1.0", "1.0": "0.0", "True": "False", "False": "True"}
SWAPPED = {"min": "max", "max": "min"}

Stage = tuple[str, ...]
"""Which marks tests must have, then their files."""


@dataclass(frozen=True)
class Mutant:
    """``text`` instead of the characters ``start`` to ``end`` of a module."""

    path: Path
    line: int
    start: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        """The module with it."""
        return source[: self.start] + self.text + source[self.end :]

    def told(self, source: str) -> str:
        """Place and lines before and after."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.end)
        after = self.apply(source)[first : last + len(self.text) - (self.end - self.start)]
        before = source[first:last]

        def shown(mark: str, text: str) -> str:
            return "\n".join(f"      {mark} {line.strip()}" for line in text.splitlines())

        where = f"    {self.path}:{self.line}"
        return "\n".join((where, shown("-", before), shown("+", after)))


class Source:
    """A module as text and tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = (ROOT / path).read_text(encoding="utf-8")
        self._lines = self.text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def mutants(self) -> list[Mutant]:
        """All of them, in order of place."""
        found = {m for node in self._code(ast.parse(self.text)) for m in self._of(node)}
        return sorted(found, key=lambda m: (m.start, m.end, m.text))

    def _code(self, node: ast.AST) -> Iterator[ast.AST]:
        """Nodes that do something in a run: no annotations, messages or assertions."""
        skipped: set[int] = set()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= {id(n) for n in (*node.decorator_list, node.returns)}
        elif isinstance(node, ast.AnnAssign | ast.arg):
            skipped.add(id(node.annotation))
        for child in ast.iter_child_nodes(node):
            quiet = isinstance(child, ast.Assert | ast.Raise | ast.JoinedStr)
            if id(child) not in skipped and not quiet and not _typing(child):
                yield child
                yield from self._code(child)

    def _of(self, node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            for a, b in itertools.pairwise(sides):
                yield from self._between(a, b, COMPARISONS)
        elif isinstance(node, ast.BinOp):
            yield from self._between(node.left, node.right, ARITHMETIC)
        elif isinstance(node, ast.BoolOp):
            for a, b in zip(node.values, node.values[1:], strict=False):
                yield from self._between(a, b, {"and": "or", "or": "and"})
        elif isinstance(node, ast.AugAssign):
            yield from self._between(node.target, node.value, ARITHMETIC)
            yield self._at(node, "pass")
        elif isinstance(node, ast.Constant):
            yield from self._swap(node, CONSTANTS)
        elif isinstance(node, ast.Name):
            yield from self._swap(node, SWAPPED)
        elif isinstance(node, ast.If | ast.While | ast.IfExp):
            yield self._negated(node.test)
        elif isinstance(node, ast.comprehension):
            yield from map(self._negated, node.ifs)
        elif (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or (
            isinstance(node, ast.Assign)
            and all(isinstance(t, ast.Attribute | ast.Subscript) for t in node.targets)
        ):
            yield self._at(node, "pass")

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        def offset(line: int, column: int) -> int:
            inside = self._lines[line - 1].encode()[:column].decode()
            return self._starts[line - 1] + len(inside)

        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)

    def _at(self, node: ast.expr | ast.stmt, text: str) -> Mutant:
        return Mutant(self.path, node.lineno, *self._span(node), text)

    def _negated(self, node: ast.expr) -> Mutant:
        start, end = self._span(node)
        return self._at(node, f"(not ({self.text[start:end]}))")

    def _swap(self, node: ast.expr, swaps: dict[str, str]) -> Iterator[Mutant]:
        start, end = self._span(node)
        if self.text[start:end] in swaps:
            yield self._at(node, swaps[self.text[start:end]])

    def _between(self, a: ast.expr, b: ast.expr, swaps: dict[str, str]) -> Iterator[Mutant]:
        """The operator between two operands, which closing brackets may precede."""
        start, end = self._span(a)[1], self._span(b)[0]
        match = OPERATOR.search(self.text, start, end)
        operator = " ".join(match[0].split()) if match else ""
        if match and operator in swaps:
            line = self.text.count("\n", 0, match.start()) + 1
            yield Mutant(self.path, line, *match.span(), swaps[operator])


def _typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


class Bench:
    """A copy of the checkout in which tests run in forks of this process."""

    def __init__(self, copy: Path, limit_s: float) -> None:
        self.copy = copy
        self.limit_s = limit_s
        kept = ("__pycache__", ".*", "*.egg-info", "results", "site", "dist", "build")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*kept))
        # By hash: two mutants of equal length within a second must not share compiled code.
        compileall.compile_dir(
            copy / "hetsim", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH
        )
        self._sound: dict[Stage, float | None] = {}

    def stages(self, path: Path) -> list[Stage]:
        """The tests that a mutant of ``path`` meets, in turn; none twice."""
        dotted = ".".join(path.with_suffix("").parts)
        tests = sorted((self.copy / "tests").rglob("test_*.py"))
        naming = re.compile(rf"\b{re.escape(dotted)}\b(?!\.\w)")
        own = [t for t in tests if naming.search(t.read_text(encoding="utf-8"))]
        room = self.copy / "tests" / path.parts[1]
        near = [t for t in _files(room) if t not in own]
        wide = [t for w in WIDER for t in _files(self.copy / w) if t not in (*own, *near)]
        stages = [("not slow", own), ("not slow", near), ("slow", [*own, *near]), ("", wide)]
        return [
            (marker, *(str(t.relative_to(self.copy)) for t in files))
            for marker, files in stages
            if files
        ]

    def sound(self, stage: Stage) -> float | None:
        """Seconds that sound code takes; ``None`` when that is more than the limit.

        Raises:
            SystemExit: it does not pass.
        """
        if stage not in self._sound:
            passed, seconds = self._run(stage, self.limit_s)
            late = seconds > self.limit_s
            if not passed and not late:
                raise SystemExit(f"these tests fail without any mutant: {' '.join(stage[1:])}")
            if late:
                print(f"left out, too long: {stage[0] or 'all'} of {len(stage) - 1} test files")
            self._sound[stage] = None if late else seconds
        return self._sound[stage]

    def killed(self, mutant: Mutant, source: str) -> bool:
        """Whether a test fails, or never ends, with ``mutant`` in place."""
        place = self.copy / mutant.path
        for stage in self.stages(mutant.path):
            sound = self.sound(stage)
            if sound is None:
                continue
            limit = PATIENCE * sound + GRACE_S
            place.write_text(mutant.apply(source), encoding="utf-8")
            try:
                if not self._run(stage, limit)[0]:
                    return True
            finally:
                place.write_text(source, encoding="utf-8")
        return False

    def _run(self, stage: Stage, limit: float | None) -> tuple[bool, float]:
        begun = time.monotonic()
        child = os.fork()
        if not child:
            os.setsid()
            _test(self.copy, stage)
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            seconds = time.monotonic() - begun
            if done:
                return os.waitstatus_to_exitcode(status) == 0, seconds
            if limit is not None and seconds > limit:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return False, seconds
            time.sleep(0.05)


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("test_*.py")) if place.is_dir() else [place]


def _test(copy: Path, stage: Stage) -> None:
    """In a fork: runs tests and ends the process."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    os.environ["PYTHONPATH"] = str(copy)
    code = 2
    try:
        import pytest

        marker, *files = stage
        options = ["-n", "0", "-x", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", marker]
        code = int(pytest.main([*options, *files]))
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


def modules_of(words: list[str]) -> dict[Path, int | None]:
    """Modules by rooms, folders, files, or files with ``:line``."""
    found: dict[Path, int | None] = {}
    for word in words:
        name, _, line = word.partition(":")
        place = ROOT / name if (ROOT / name).exists() else ROOT / "hetsim" / name
        if not place.exists():
            raise SystemExit(f"there is no module or room {name!r}")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        found |= {file.relative_to(ROOT): int(line) if line else None for file in files}
    return found


def main(arguments: list[str] | None = None) -> int:
    """Tries a sample of each module's mutants; returns 1 when one survives."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=3, help="mutants of each module (0: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", nargs="+", default=list(ROOMS), help="rooms, files, file:line")
    parser.add_argument("--minutes", type=float, default=0.0, help="begin no more after so long")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds of one set of tests")
    options = parser.parse_args(arguments)
    _preload()
    begun = time.monotonic()
    total = dead = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "copy", options.limit)
        for path, line in modules_of(options.modules).items():
            if options.minutes and time.monotonic() - begun > 60 * options.minutes:
                print(f"time is up before {path}")
                break
            source = Source(path)
            mutants = [m for m in source.mutants() if line is None or m.line == line]
            if options.sample and line is None and len(mutants) > options.sample:
                draw = random.Random(f"{options.seed} {path}")
                mutants = sorted(draw.sample(mutants, options.sample), key=lambda m: m.start)
            if not mutants:
                continue
            left = [m for m in mutants if not bench.killed(m, source.text)]
            total, dead = total + len(mutants), dead + len(mutants) - len(left)
            print(f"{path}: tried {len(mutants)}, killed {len(mutants) - len(left)}", flush=True)
            for mutant in left:
                print(mutant.told(source.text), flush=True)
    if total:
        print(f"all: tried {total}, killed {dead} ({dead / total:.1%})")
    return 1 if dead < total else 0


if __name__ == "__main__":
    raise SystemExit(main())
