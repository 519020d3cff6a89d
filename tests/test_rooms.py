"""The structure of the package: rooms in a stated order, imports only down, no circle anywhere.

Every import counts: at the top of a module, deferred into a function, or for type checkers only.
What a registry names as text (``"package.module:Class"``) is data and does not count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

import hetsim

PACKAGE = Path(hetsim.__file__).parent

ROOMS = (
    "cli", "validate", "study", "calibrate", "host", "runs", "report", "analysis", "scenario",
    "schedulers", "bounds", "sim", "lower", "plan", "cost", "learn", "forms", "streams", "soc",
    "workload", "executors", "ground",
)  # fmt: skip
"""From the top; a room imports from itself and from what stands after it."""

GROUND = (
    "catalogue", "collector", "drafts", "errors", "infiles", "library", "names", "numeric",
    "overrides", "plugins", "progress", "records", "units", "validation", "version", "yamlio",
)  # fmt: skip
"""Modules beside the rooms that everybody may import."""

FACADE = ("hetsim", "hetsim.__main__", "hetsim.api")
"""What users import; nothing inside does."""

APART = ("testing",)
"""Rooms for outsiders: they import everything, nothing imports them."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """Modules of the package that ``module`` imports, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules():
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: imports are absolute here"
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in modules():
                    yield inner, node.lineno
                elif base in modules():
                    yield base, node.lineno


@cache
def graph() -> nx.DiGraph:
    """Modules and their imports; ``line`` is where."""
    edges = nx.DiGraph()
    edges.add_nodes_from(modules())
    for module, path in modules().items():
        for target, line in imports(module, path):
            if target != module:
                edges.add_edge(module, target, line=line)
    return edges


def room(module: str) -> str:
    """The room of a module."""
    if module in FACADE:
        return "facade"
    name = module.split(".")[1]
    return "ground" if name in GROUND else name


def test_every_module_stands_in_a_room() -> None:
    lost = {m: room(m) for m in modules() if room(m) not in (*ROOMS, *APART, "facade")}
    assert not lost


@pytest.mark.slow
def test_no_import_circle() -> None:
    circles = [sorted(c) for c in nx.strongly_connected_components(graph()) if len(c) > 1]
    assert not circles


def test_imports_only_go_down() -> None:
    order = {name: i for i, name in enumerate((*APART, "facade", *ROOMS))}
    against = [
        f"{module}:{data['line']} imports {target}"
        for module, target, data in graph().edges(data=True)
        if order[room(module)] > order[room(target)]
    ]
    assert not against


@pytest.mark.parametrize("name", ROOMS[:-1])
def test_rooms_say_what_lives_there(name: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text("utf-8"))) or ""
    assert len(text) > 60, f"the docstring of hetsim.{name} is too short to guide anybody"
    assert re.search(r"\b[Ii]mports?\b", text), "it should say what may be imported"


def test_folders_do_not_repeat_in_the_names_of_their_files() -> None:
    repeated = [
        module
        for module in modules()
        if len(parts := module.split(".")) > 2 and parts[-1].startswith(f"{parts[-2]}_")
    ]
    assert not repeated
