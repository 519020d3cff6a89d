"""Which operator stands for each node of the file, so that a plan says where every node runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hetsim.workload.onnx.ir import Net, Node


def standing(net: Net, file: Iterable[Node]) -> Mapping[str, str]:
    """For each node of ``file`` (in topological order) that became no operator, the one it is in.

    What a step of the loader merged is where it was merged into; a view is where its operand is
    made; what is left (views of inputs, the making of constants) is where it is first needed.
    Nodes that no output depends on are left out.
    """
    nodes = list(file)
    place = {node.name: node.name for node in net.nodes}
    for node in nodes:
        host = node.name
        while host not in place and host in net.absorbed:
            host = net.absorbed[host]
        if host in place:
            place[node.name] = place[host]
    made: dict[str, str] = {}
    for node in nodes:
        host = place.get(node.name) or _first(made, node.proto.input)
        if host:
            place[node.name] = host
            made.update((t, host) for t in node.proto.output if t)
    wanted: dict[str, str] = {}
    for node in reversed(nodes):
        host = place.get(node.name) or _first(wanted, node.proto.output)
        if host:
            place[node.name] = host
            wanted.update((t, host) for t in node.proto.input if t)
    operators = {node.name for node in net.nodes}
    return {
        node.name: place[node.name]
        for node in nodes
        if node.name in place and node.name not in operators
    }


def _first(places: Mapping[str, str], tensors: Iterable[str]) -> str:
    return next((places[t] for t in tensors if t in places), "")
