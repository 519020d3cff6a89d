"""Which operators each kernel of the runtime stands for, from the graph that it really ran.

A runtime rewrites a network before it runs it: HardSwish becomes HardSigmoid and Mul, MatMul and
Add become Gemm, a quantised convolution swallows the conversions around it. ONNX Runtime writes
that graph out, and tensors that both graphs have keep their names. Between such tensors, what is
computed on one side is what is computed on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto

Found = tuple[set[int], set[int]]
"""Positions of operators, and of nodes that ran."""


@dataclass(frozen=True, slots=True)
class Match:
    """Operators of the graph, in its order, and the nodes that together did their work."""

    operators: tuple[str, ...]
    nodes: tuple[str, ...]


def matched(graph: Graph, ran: ModelProto) -> list[Match]:
    """The smallest groups of operators and nodes that compute the same, in the graph's order.

    Operators whose results the runtime never made (folded away, renamed at an end of the network)
    are in none. Linear in both sizes.
    """
    nodes = list(ran.graph.node)
    maker = {t: i for i, node in enumerate(nodes) for t in node.output if t}
    if len(graph.outputs) == len(ran.graph.output):  # a view at the end leaves only its name
        for ours, theirs in zip(graph.outputs, ran.graph.output, strict=True):
            if theirs.name in maker:
                maker.setdefault(ours, maker[theirs.name])
    shared = {t for t in graph.producer if t in maker}
    stops = shared | set(graph.inputs)

    def behind(
        start: int, inputs: Callable[[int], Iterable[str]], makers: Mapping[str, int]
    ) -> set[int]:
        """What leads to ``start`` without crossing a tensor that both sides have."""
        found, waiting = {start}, [start]
        while waiting:
            for tensor in inputs(waiting.pop()):
                if tensor not in stops and tensor in makers and makers[tensor] not in found:
                    found.add(makers[tensor])
                    waiting.append(makers[tensor])
        return found

    groups: list[Found] = []
    of_operator: dict[int, int] = {}
    of_node: dict[int, int] = {}
    for tensor in graph.producer:
        if tensor not in shared:
            continue
        operators = behind(
            graph.producer[tensor], lambda i: graph.operators[i].inputs, graph.producer
        )
        kernels = behind(maker[tensor], lambda i: nodes[i].input, maker)
        known = {of_operator[i] for i in operators if i in of_operator}
        known |= {of_node[i] for i in kernels if i in of_node}
        for other in known:  # they overlap, so they are one
            operators |= groups[other][0]
            kernels |= groups[other][1]
            groups[other] = (set(), set())
        here = len(groups)
        groups.append((operators, kernels))
        of_operator.update(dict.fromkeys(operators, here))
        of_node.update(dict.fromkeys(kernels, here))
    return [
        Match(
            tuple(graph.operators[i].name for i in sorted(operators)),
            tuple(nodes[i].name for i in sorted(kernels)),
        )
        for operators, kernels in sorted(groups, key=lambda g: min(g[0], default=-1))
        if operators
    ]
