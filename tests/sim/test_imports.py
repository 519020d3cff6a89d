"""The simulator's modules read in one direction: no two import each other, not even for types."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import hetsim

ROOT = Path(hetsim.__file__).parent


def imported(path: Path) -> set[str]:
    """Names of the hetsim modules that a file imports anywhere: deferred and type-only included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_modules_of_the_simulator_form_no_circle() -> None:
    files = {
        ".".join(("hetsim", *path.relative_to(ROOT).with_suffix("").parts)): path
        for room in ("sim", "lower")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert "hetsim.sim.network.flow" in files
    graph = {name: imported(path) & files.keys() for name, path in files.items()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError
