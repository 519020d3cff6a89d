"""Topological order of a file's nodes, and which of them matter.

The order is the file's own wherever that is already topological, so that positions and reports
read like the file; otherwise the earliest ready node of the file goes first.
"""

from __future__ import annotations

import heapq

from hetsim.workload.onnx.ir import Net, Node

RANDOM = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
                     "Bernoulli", "Multinomial"})  # fmt: skip
"""Kinds whose result is not constant although their inputs are."""
SHAPE_OF = frozenset({"Shape", "Size"})
"""Kinds whose result is constant whatever their input, since every shape is known."""


def sort_nodes(net: Net) -> None:
    """Puts ``net.nodes`` into topological order, stably.

    Raises:
        WorkloadError: a tensor nobody produces, one produced twice, or a cycle (named).
    """
    producer = _producers(net)
    waiting = [0] * len(net.nodes)
    readers: list[list[int]] = [[] for _ in net.nodes]
    for index, node in enumerate(net.nodes):
        for tensor in dict.fromkeys(node.inputs):
            if not tensor or tensor in net.values:
                continue
            if tensor not in producer:
                raise net.error(
                    f"operator {node.name!r} reads tensor {tensor!r}, which nothing produces"
                )
            waiting[index] += 1
            readers[producer[tensor]].append(index)
    ready = [index for index, count in enumerate(waiting) if count == 0]
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for reader in readers[index]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) < len(net.nodes):
        cycle = _find_cycle(net, producer, set(range(len(net.nodes))) - set(order))
        raise net.error(
            f"the network has a cycle: {' -> '.join([*cycle, cycle[0]])}",
            hint="a feed-forward graph is needed; unroll recurrent connections",
        )
    net.nodes = [net.nodes[index] for index in order]
    for output in net.outputs:
        if output not in producer and output not in net.values:
            raise net.error(f"output {output!r} is never produced")


def _producers(net: Net) -> dict[str, int]:
    producer: dict[str, int] = {}
    for index, node in enumerate(net.nodes):
        for tensor in node.outputs:
            if not tensor:
                continue
            if tensor in producer or (tensor in net.values and node.kind != "Constant"):
                raise net.error(f"tensor {tensor!r} is produced twice (by {node.name!r})")
            producer[tensor] = index
    return producer


def _find_cycle(net: Net, producer: dict[str, int], stuck: set[int]) -> list[str]:
    """Names along one cycle among the nodes that could not be sorted."""
    path: list[int] = []
    position: dict[int, int] = {}
    index = min(stuck)
    while index not in position:
        position[index] = len(path)
        path.append(index)
        index = next(producer[t] for t in net.nodes[index].inputs if producer.get(t, -1) in stuck)
    loop = path[position[index] :][::-1]
    return [net.nodes[i].name for i in loop[:8]]


def constant_tensors(net: Net) -> set[str]:
    """Names of the tensors that do not depend on any input, found from structure alone.

    The results of Shape and Size count, since every shape is static here.
    """
    constant = {name for name, value in net.values.items() if value.constant}
    for node in net.nodes:
        fixed = node.kind in SHAPE_OF or (
            node.kind not in RANDOM and all(not t or t in constant for t in node.inputs)
        )
        if fixed:
            constant.update(t for t in node.outputs if t)
    return constant


def live_nodes(net: Net, constant: set[str], *, through_constants: bool) -> list[Node]:
    """The nodes that the outputs depend on, in order.

    With ``through_constants`` also those needed only to know shapes and constants.
    """
    wanted = set(net.outputs)
    kept: list[Node] = []
    for node in reversed(net.nodes):
        if not any(t in wanted for t in node.outputs if t):
            continue
        if not through_constants and all(t in constant for t in node.outputs if t):
            continue
        kept.append(node)
        wanted.update(t for t in node.inputs if t)
    return kept[::-1]
