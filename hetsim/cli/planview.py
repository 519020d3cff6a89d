"""A plan on the terminal: its partitions as a table, and what waits for what as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hetsim.plan.model import Plan
    from hetsim.workload.graph import Graph


def plan_table(plan: Plan, graph: Graph) -> RenderableType:
    """One row a partition."""
    from collections import Counter

    from rich.table import Table

    group_of = {name: str(n) for n, group in enumerate(plan.parallel_groups) for name in group}
    table = Table(box=None, header_style="bold")
    for title in ("partition", "PU", "parallel"):
        table.add_column(title, no_wrap=True)
    table.add_column("operators", justify="right")
    table.add_column("MMACs", justify="right")
    table.add_column("kinds")
    for part in plan.partitions:
        operators = [graph.operator(name) for name in part.operators]
        kinds = Counter(op.kind for op in operators)
        words = [kind if n == 1 else f"{n} {kind}" for kind, n in kinds.items()]
        macs = sum(op.macs for op in operators) / 1e6
        table.add_row(
            part.name, part.pu, group_of.get(part.name, ""), str(len(operators)), f"{macs:.1f}",
            ", ".join(words) + ("" if part.fuse else "  (not fused)"),
        )  # fmt: skip
    return table


def plan_tree(plan: Plan, graph: Graph) -> RenderableType:
    """Each partition below the last of those whose results it waits for."""
    from rich.tree import Tree

    home = {name: i for i, part in enumerate(plan.partitions) for name in part.operators}
    operators = graph.operators
    root = Tree("waits for")
    nodes: list[Tree] = []
    for i, part in enumerate(plan.partitions):
        before = {
            home[operators[p].name]
            for name in part.operators
            for p in graph.predecessors[graph.index[name]]
        } - {i}
        last = max(before, default=None)
        others = ", ".join(plan.partitions[p].name for p in sorted(before - {last}))
        label = f"{part.name} on {part.pu}" + (f", also for {others}" if others else "")
        nodes.append((root if last is None else nodes[last]).add(label))
    return root
