"""Gathers that each take one slice of the same tensor, as the one Split that they are together.

An unrolled loop takes slice after slice of its input, and exporters take queries, keys and values
out of one product in this way. An operator is counted to read its inputs whole, so many such
Gathers would read the tensor as often; together they read it once and write each slice once.
"""

from __future__ import annotations

from hetsim.workload.onnx.ir import Net, Node, Value


def join_gathers(net: Net) -> None:
    """Replaces, in ``net`` (shapes known), two or more such Gathers by a Split and views."""
    groups: dict[tuple[str, int], list[tuple[Node, int]]] = {}
    for node in net.nodes:
        taken = _slice_of(net, node)
        if taken is not None:
            tensor, axis, index = taken
            groups.setdefault((tensor, axis), []).append((node, index))
    splits: dict[int, Node] = {}
    for (tensor, axis), members in groups.items():
        indices = sorted({index for _, index in members})
        if len(indices) < 2:
            continue
        name = net.names.unique(f"{tensor}/slices")
        source = net.values[tensor]
        shape = (*source.shape[:axis], 1, *source.shape[axis + 1 :])
        pieces = {index: f"{name}/{index}" for index in indices}
        net.values.update((t, Value(t, shape, source.elem_type)) for t in pieces.values())
        first = members[0][0]
        splits[id(first)] = Node(
            name, "Split", "", [tensor], list(pieces.values()), {"axis": axis}, first.proto
        )
        for node, index in members:
            node.kind, node.inputs, node.attributes = "Squeeze", [pieces[index]], {}
            net.absorbed[node.name] = name
    nodes: list[Node] = []
    for node in net.nodes:
        if id(node) in splits:
            nodes.append(splits[id(node)])
        nodes.append(node)
    net.nodes = nodes


def _slice_of(net: Net, node: Node) -> tuple[str, int, int] | None:
    """Tensor, axis and index of a Gather that takes one slice."""
    if node.kind != "Gather" or node.domain or not node.outputs[0]:
        return None
    source, index = (net.values[t] for t in node.inputs[:2])
    if source.constant or not index.constant or index.data is None or index.shape:
        return None
    axis = node.attributes.get("axis", 0)
    if not isinstance(axis, int) or not source.rank:
        return None
    axis %= source.rank
    return source.name, axis, int(index.data) % source.shape[axis]
