"""Copies of the graphs inside nodes, and the nodes that join such copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper

from hetsim.errors import WorkloadError
from hetsim.numeric import Array
from hetsim.workload.onnx.ir import Net, Node, Value
from hetsim.workload.onnx.read import add_constant, captured, make_node


@dataclass
class Copy:
    """Copies of ``body``: constants once, nodes for each turn; ``names`` are the last turn's."""

    net: Net
    body: GraphProto
    prefix: str
    names: dict[str, str] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for tensor in self.body.initializer:
            name = self._shared[tensor.name] = f"{self.prefix}/{tensor.name}"
            add_constant(self.net, name, tensor)
        for node in self.body.node:
            if node.op_type == "Constant":
                name = self._shared[node.output[0]] = f"{self.prefix}/{node.output[0]}"
                make_node(self.net, _renamed(node, self._shared), name)

    def turn(self, label: str, bound: Mapping[str, str]) -> list[Node]:
        """The nodes of one turn, whose body's inputs are the tensors ``bound``."""
        self.names = {**self._shared, **bound}
        where = f"{self.prefix}/{label}"
        nodes = [node for node in self.body.node if node.op_type != "Constant"]
        for node in nodes:
            self.names.update((t, where + t) for t in node.output if t)
        for info in self.body.value_info:
            if info.name in self.names:
                self.net.declared.setdefault(self.names[info.name], info.type)
        # An output that is a tensor from outside keeps its name.
        self.names.update((o.name, o.name) for o in self.body.output if o.name not in self.names)
        return [
            make_node(
                self.net,
                _renamed(node, self.names),
                self.net.names.unique(where + (node.name or f"{node.op_type}_{index}")),
            )
            for index, node in enumerate(nodes)
        ]


def _renamed(node: NodeProto, names: Mapping[str, str]) -> NodeProto:
    """A copy with other tensor names, in the graphs inside it as well."""
    result = NodeProto()
    result.CopyFrom(node)
    for tensors in (result.input, result.output):
        for i, tensor in enumerate(tensors):
            tensors[i] = names.get(tensor, tensor)
    for attribute in result.attribute:
        if attribute.type == AttributeProto.GRAPH:
            outer = {t: names[t] for t in captured(attribute.g) if t in names}
            if outer:
                _rename_inside(attribute.g, outer)
    return result


def _rename_inside(graph: GraphProto, names: Mapping[str, str]) -> None:
    local = {t.name for t in graph.initializer} | {i.name for i in graph.input}
    local |= {t for node in graph.node for t in node.output}
    outer = {old: new for old, new in names.items() if old not in local}
    for node in graph.node:
        node.CopyFrom(_renamed(node, outer))
    for output in graph.output:
        output.name = outer.get(output.name, output.name)


def body_of(node: Node, name: str) -> GraphProto:
    """The graph that ``node`` holds under attribute ``name``."""
    found = next((a for a in node.proto.attribute if a.name == name), None)
    if found is None:
        raise WorkloadError(f"{node.kind} {node.name!r} has no {name}")
    graph: GraphProto = found.g
    return graph


def whole_numbers(node: Node, name: str, count: int) -> list[int]:
    """A list attribute, zeros when it is left out."""
    given = node.attributes.get(name)
    return [int(i) for i in given] if isinstance(given, tuple) and given else [0] * count


# -- what joins the copies ------------------------------------------------------------------------


def add_node(
    net: Net, kind: str, label: str, inputs: list[str], outputs: list[str], **a: Any
) -> Node:
    """A new node called ``label``."""
    return make_node(net, helper.make_node(kind, inputs, outputs, **a), net.names.unique(label))


def identity(net: Net, inner: str, outer: str) -> Node:
    """What gives tensor ``inner`` the name ``outer``."""
    return add_node(net, "Identity", f"{outer}/is", [inner], [outer])


def fixed(net: Net, node: Node, label: str, content: int | bool) -> str:
    """A constant of one number or truth value; returns its name."""
    data: Array = np.asarray(content, dtype=np.bool_ if isinstance(content, bool) else np.int64)
    return constant(net, f"{node.name}/{label}", data)


def constant(net: Net, name: str, data: Array) -> str:
    """A constant called ``name``."""
    kind = TensorProto.BOOL if data.dtype == np.bool_ else TensorProto.INT64
    net.values[name] = Value(name, data.shape, kind, constant=True, data=data)
    return name


def reshaped(net: Net, kind: str, source: str, result: str, axis: int) -> Node:
    """Squeeze or Unsqueeze, which took their axes as an attribute before operator set 13."""
    if net.opsets.get("", 13) < 13:
        return add_node(net, kind, result, [source], [result], axes=[axis])
    axes = constant(net, f"{result}/axes", np.asarray([axis], dtype=np.int64))
    return add_node(net, kind, result, [source, axes], [result])


def sliced(
    net: Net, node: Node, value: Value, axis: int, length: int
) -> tuple[list[str], list[Node]]:
    """One Split of ``value`` along ``axis``; the names of its slices, without that dimension."""
    label = f"{node.name}/{value.name}"
    parts = [f"{label}/slice_{i}" for i in range(length)]
    if net.opsets.get("", 13) >= 13:
        sizes = constant(net, f"{label}/sizes", np.ones(length, dtype=np.int64))
        nodes = [add_node(net, "Split", f"{label}/split", [value.name, sizes], parts, axis=axis)]
    else:
        nodes = [add_node(net, "Split", f"{label}/split", [value.name], parts, axis=axis,
                      split=[1] * length)]  # fmt: skip
    names = [f"{part}/at" for part in parts]
    pairs = zip(parts, names, strict=True)
    return names, nodes + [reshaped(net, "Squeeze", part, name, axis) for part, name in pairs]


def stacked(net: Net, node: Node, parts: Sequence[str], outer: str, axis: int) -> list[Node]:
    """``parts`` as one tensor ``outer`` with a new dimension at ``axis``."""
    if not parts:
        raise net.error(f"{node.kind} {node.name!r} collects {outer!r} in no turn at all")
    names = [f"{outer}/part_{i}" for i in range(len(parts))]
    made = [reshaped(net, "Unsqueeze", p, n, axis) for p, n in zip(parts, names, strict=True)]
    return [*made, add_node(net, "Concat", f"{outer}/stack", names, [outer], axis=axis)]
