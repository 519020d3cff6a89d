"""Descriptions stand at the bottom: what soc/ imports, wherever in a file, goes down."""

from __future__ import annotations

import ast
from pathlib import Path

import networkx as nx

import hetsim

ROOT = Path(hetsim.__file__).parent


def imports(room: str) -> nx.DiGraph:
    """An edge for each import of a module, those inside functions and for types included."""
    found = nx.DiGraph()
    for file in (ROOT / room).rglob("*.py"):
        name = ".".join(("hetsim", *file.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add_edge(name.removesuffix(".__init__"), node.module)
            elif isinstance(node, ast.Import):
                found.add_edges_from((name, alias.name) for alias in node.names)
    return found


def test_descriptions_import_each_other_in_one_direction() -> None:
    assert list(nx.simple_cycles(imports("soc"))) == []


def test_descriptions_know_the_workload_and_not_the_other_way_round() -> None:
    used = {name.split(".")[1] for _, name in imports("soc").edges if name.startswith("hetsim.")}
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir()}
    assert used & rooms == {"soc", "workload"}
    assert not [name for _, name in imports("workload").edges if name.startswith("hetsim.soc")]
