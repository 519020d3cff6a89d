"""Several networks side by side as one, for whoever can only think about one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hetsim.workload.graph import Graph, Operator, Tensor

SEPARATOR = "/"
"""Between the name of a part and that of its operator or tensor."""


def prefix_of(part: str, graphs: Mapping[str, Graph]) -> str:
    """What the names of a part begin with in the union; nothing where it is the only one."""
    return f"{part}{SEPARATOR}" if len(graphs) > 1 else ""


def union(graphs: Mapping[str, Graph]) -> Graph:
    """The networks ``graphs``, by the name of the part, without any edge between them.

    Operators stand part by part, each part in its own order. One network alone is itself.
    """
    if len(graphs) == 1:
        return next(iter(graphs.values()))
    operators: list[Operator] = []
    tensors: list[Tensor] = []
    inputs: list[str] = []
    outputs: list[str] = []
    for part, graph in graphs.items():
        before = prefix_of(part, graphs)

        def renamed(names: tuple[str, ...], before: str = before) -> tuple[str, ...]:
            return tuple(before + name for name in names)

        operators += [
            replace(op, name=before + op.name, inputs=renamed(op.inputs),
                    outputs=renamed(op.outputs))
            for op in graph.operators
        ]  # fmt: skip
        tensors += [Tensor(before + t.name, t.shape, t.dtype) for t in graph.tensors.values()]
        inputs += renamed(graph.inputs)
        outputs += renamed(graph.outputs)
    return Graph.create(
        " + ".join(graphs), operators, tensors, inputs, outputs,
        parameters=sum(graph.parameters for graph in graphs.values()),
        unread=sum(graph.unread for graph in graphs.values()),
    )  # fmt: skip
