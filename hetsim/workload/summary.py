"""What a network is made of: its operators by kind, their work, and what it takes in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hetsim.workload.footprint import live_bytes, weight_bytes
from hetsim.workload.graph import DTYPE_BYTES, Graph, Tensor


@dataclass(frozen=True, slots=True)
class KindRow:
    """The operators of one kind: how many, their work, and the constants that they read."""

    kind: str
    count: int
    macs: int
    element_ops: int
    weight_bytes: int


@dataclass(frozen=True)
class Summary:
    """A network in figures.

    ``kinds`` by work, the most first. ``weights`` are bytes by data type. ``peak_bytes`` of
    activations are alive at once when ``peak_at`` runs, in the order that :func:`live_bytes`
    states. ``largest`` are the largest tensors with the operators that make them (none: an input).
    """

    graph: Graph
    kinds: tuple[KindRow, ...]
    weights: Mapping[str, int]
    peak_bytes: int
    peak_at: str
    largest: tuple[tuple[Tensor, str | None], ...]

    @property
    def element_ops(self) -> int:
        """Arithmetic operations that are no multiply-accumulates."""
        return sum(row.element_ops for row in self.kinds)


def summarise(graph: Graph, largest: int = 5) -> Summary:
    """The summary of a network, with so many of its largest tensors."""
    rows: dict[str, KindRow] = {}
    for op in graph.operators:
        before = rows.get(op.kind, KindRow(op.kind, 0, 0, 0, 0))
        read = sum(-int(-count * DTYPE_BYTES[dtype] // 1) for dtype, count in op.weights)
        rows[op.kind] = KindRow(
            op.kind, before.count + 1, before.macs + op.macs,
            before.element_ops + op.element_ops, before.weight_bytes + read,
        )  # fmt: skip
    alive = live_bytes(graph)
    peak = max(range(len(alive)), key=lambda i: alive[i])
    tensors = sorted(graph.tensors.values(), key=lambda t: -t.nbytes)[:largest]
    makers = [
        graph.operators[graph.producer[t.name]].name if t.name in graph.producer else None
        for t in tensors
    ]
    return Summary(
        graph,
        tuple(sorted(rows.values(), key=lambda row: (-row.macs, -row.element_ops, row.kind))),
        weight_bytes(graph),
        alive[peak],
        graph.operators[peak].name,
        tuple(zip(tensors, makers, strict=True)),
    )
