"""What the cells of a notebook put out, for the page that shows it."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Output:
    """What was printed, and what the last expression shows of itself, as HTML."""

    printed: str = ""
    html: str = ""


def outputs(codes: list[str], name: str) -> list[Output]:
    """Runs the cells one after the other in a scratch directory."""
    names: dict[str, Any] = {"__name__": "notebook"}
    found = []
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            for number, code in enumerate(codes, 1):
                found.append(_run(code, names, f"{name}, cell {number}"))
        finally:
            os.chdir(before)
    return found


def _run(code: str, names: dict[str, Any], where: str) -> Output:
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, where, "exec", dont_inherit=True), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), where, "eval"), names)
    return Output(printed.getvalue(), _html(value))


def _html(value: Any) -> str:
    if hasattr(value, "savefig"):
        picture = io.StringIO()
        value.savefig(picture, format="svg")
        text = picture.getvalue()
        return text[text.index("<svg") :]
    shown = getattr(value, "_repr_html_", None)
    return (shown() or "") if shown is not None else ""
