"""What may be changed in a module: the small mistakes with which ``mutants.py`` tries the tests."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

COMPARISONS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not",
    "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "//", "**": "*", "&": "|",
              "|": "&", "<<": ">>", ">>": "<<"}  # fmt: skip
OPERATOR = re.compile(r"is\s+not|not\s+in|is|in|\*\*|//|<<|>>|[<>=!]=|[-+*/%<>&|]|and|or")
CONSTANTS = {"0": "1", "1": "0", "0.0": "1.0", "1.0": "0.0", "True": "False", "False": "True"}
SWAPPED = {"min": "max", "max": "min"}


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

    def reach(self, mutant: Mutant) -> range:
        """Lines of its statement, or of the head of one with a body.

        Empty outside functions: that runs when the module is imported.
        """
        found = range(0)
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for inner in node.body:
                    for lines in _statements(inner):
                        if mutant.line in lines and (not found or len(lines) < len(found)):
                            found = lines
        return found

    def _code(self, node: ast.AST) -> Iterator[ast.AST]:
        """Nodes that do something in a run: no annotations, messages or assertions."""
        skipped: set[int] = set()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= {id(n) for n in (*node.decorator_list, node.returns)}
        elif isinstance(node, ast.ClassDef):
            skipped |= {id(n) for n in node.decorator_list}
        elif isinstance(node, ast.keyword) and node.arg == "strict":  # zip's assertion
            skipped.add(id(node.value))
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


def _statements(node: ast.stmt) -> Iterator[range]:
    """The lines of ``node`` and of all statements in it, each without its body."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.stmt):
            body = getattr(inner, "body", None)
            last = body[0].lineno - 1 if body else inner.end_lineno or inner.lineno
            yield range(inner.lineno, max(last, inner.lineno) + 1)


def _typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
