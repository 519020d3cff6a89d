"""Plans made by another compiler, simulated: ``python benchmarks/foreign_plans.py DIR SOC``.

Reads every NEST-C partition plan under DIR, finds the shipped network that it names, matches its
nodes with operators, and runs it on SOC as NEST-C's runtime would (partitions in order). Prints a
row for each: nodes, how many were matched and how, milliseconds, or why there are none.
``--network NAME=OURS`` says which network an odd name means; ``--map FILE`` settles the nodes of
the plan with whose name FILE begins.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from hetsim.errors import HetsimError
from hetsim.plan.nestc.lists import PlanLists, is_plan, read_document
from hetsim.plan.nestc.reader import propose_node_map, read_nestc_plan
from hetsim.runs.scenario import simulate
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.workload.zoo import load_model, model_names

COLUMNS = ("file", "form", "network", "nodes", "name", "rule", "order", "hand", "none", "result")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("soc")
    parser.add_argument("--network", action="append", default=[], metavar="NAME=OURS")
    parser.add_argument("--map", action="append", default=[], type=Path, metavar="FILE")
    options = parser.parse_args()
    soc = load_soc(options.soc)
    named = dict(pair.split("=", 1) for pair in options.network)
    rows = [COLUMNS]
    for path in sorted(options.folder.rglob("*.yaml")):
        maps = [file for file in options.map if file.name.startswith(path.stem)]
        row = _row(path, soc, named, maps[0] if maps else None)
        if row is not None:
            rows.append((str(path.relative_to(options.folder)), *row))
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _row(
    path: Path, soc: SoC, named: dict[str, str], node_map: Path | None
) -> tuple[str, ...] | None:
    """The cells behind the file's name; ``None`` when it is no plan at all."""
    blank = ("",) * 5
    try:
        document = read_document(path)
        if not is_plan(document):
            return None
        lists = PlanLists(document)
        nodes = str(len(lists.nodes))
    except HetsimError as error:
        return ("", "", "", *blank, _short(error, path))
    name = Path(lists.network).stem
    network = named.get(name) or _shipped(name)
    if network is None:
        return (lists.form, name, nodes, *blank, "no network of this name ships")
    graph = load_model(network)
    counts = blank
    try:
        found = propose_node_map(path, graph, node_map)
        hows = [match.how for match in found.matches if match.operators or match.how == "none"]
        kinds = ("name", "rule", "position", "hand", "none")
        counts = tuple(str(hows.count(how)) for how in kinds)  # type: ignore[assignment]
        plan = read_nestc_plan(path, graph, soc, node_map=node_map).plan
        run = simulate(soc, graph, plan, execution="barrier")
        result = f"{(run.makespan_s or 0.0) * 1e3:.2f} ms" if run.error is None else run.error
    except HetsimError as error:
        result = _short(error, path)
    return (lists.form, network, nodes, *counts, result)


def _shipped(name: str) -> str | None:
    """The longest name of a shipped network that stands in ``name`` as words of its own."""
    text = name.lower()
    fitting = [n for n in model_names() if re.search(rf"(?<![a-z0-9]){n}(?![a-z0-9])", text)]
    return max(fitting, key=len, default=None)


def _short(error: HetsimError, path: Path) -> str:
    """The message in one line, without the file's path."""
    where = error.where
    place = f"line {where.line}: " if where and where.line else ""
    text = re.sub(r"\s+", " ", error.message).replace(str(path), path.name)
    return place + (text if len(text) <= 160 else f"{text[:157]}...")


if __name__ == "__main__":
    main()
