"""Lists of tensors (ONNX's sequences), resolved before anything runs.

How long a list is and where things stand in it follows from shapes and constants, as loops do. What
is left are a Split where a tensor is cut into a list, a Concat where a list is joined, and names.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hetsim.workload.onnx.bodies import add_node, constant, identity, reshaped
from hetsim.workload.onnx.ir import Net, Node, Value

SEQUENCES = frozenset(
    {"SequenceEmpty", "SequenceConstruct", "SequenceInsert", "SequenceErase", "SequenceAt",
     "SequenceLength", "SplitToSequence", "ConcatFromSequence"}
)  # fmt: skip
"""Kinds that make or read lists of tensors."""


def resolve_sequence(net: Net, node: Node) -> list[Node]:
    """The nodes that stand for ``node``, whose inputs are known; lists go to ``net.sequences``.

    Raises:
        WorkloadError: a place in a list that depends on the data, or is not in it.
    """
    result = node.outputs[0]
    given = list(node.inputs)
    if node.kind == "SequenceEmpty":
        net.sequences[result] = []
    elif node.kind == "SequenceConstruct":
        net.sequences[result] = given
    elif node.kind == "SplitToSequence":
        return _split(net, node)
    elif node.kind == "Identity":
        net.sequences[result] = _list(net, node)
    elif node.kind == "SequenceInsert":
        items = list(_list(net, node))
        items.insert(_place(net, node, 2, len(items), len(items)), given[1])
        net.sequences[result] = items
    elif node.kind == "SequenceErase":
        items = list(_list(net, node))
        del items[_place(net, node, 1, len(items) - 1, len(items) - 1)]
        net.sequences[result] = items
    elif node.kind == "SequenceAt":
        items = _list(net, node)
        return [identity(net, items[_place(net, node, 1, len(items) - 1, 0)], result)]
    elif node.kind == "SequenceLength":
        length = len(_list(net, node))
        net.values[result] = Value(result, (), TensorProto.INT64, constant=True,
                                   data=np.asarray(length, dtype=np.int64))  # fmt: skip
    else:
        return _joined(net, node)
    return []


def _list(net: Net, node: Node) -> list[str]:
    name = node.inputs[0]
    if name not in net.sequences:
        raise net.error(f"operator {node.name!r} ({node.kind}) reads {name!r}, which is no list")
    return net.sequences[name]


def _place(net: Net, node: Node, position: int, most: int, default: int) -> int:
    """The index that input ``position`` gives, from the end when it is negative."""
    if position >= len(node.inputs) or not node.inputs[position]:
        index = default
    else:
        data = net.values[node.inputs[position]].data
        if data is None or data.size != 1:
            raise net.error(
                f"which tensor of a list operator {node.name!r} ({node.kind}) takes depends on the"
                " data"
            )
        index = int(data.reshape(-1)[0])
    length = len(_list(net, node))
    index += length if index < 0 else 0
    if not 0 <= index <= most:
        raise net.error(
            f"operator {node.name!r} ({node.kind}) asks for place {index} of a list of {length}"
        )
    return index


def _split(net: Net, node: Node) -> list[Node]:
    source, result = net.values[node.inputs[0]], node.outputs[0]
    axis = node.attributes.get("axis", 0)
    if not isinstance(axis, int) or not -source.rank <= axis < source.rank:
        raise net.error(f"operator {node.name!r} (SplitToSequence) has no dimension {axis}")
    extent = source.shape[axis]
    lengths = [1] * extent
    if len(node.inputs) > 1 and node.inputs[1]:
        data = net.values[node.inputs[1]].data
        if data is None:
            raise net.error(f"how {node.name!r} (SplitToSequence) cuts depends on the data")
        if data.ndim:
            lengths = [int(length) for length in data]
        else:  # pieces of one length, the last one of what is left
            piece = max(1, int(data))
            lengths = [min(piece, extent - at) for at in range(0, extent, piece)]
    keep = node.attributes.get("keepdims", 1) or (len(node.inputs) > 1 and node.inputs[1])
    pieces = [f"{result}/{i}" for i in range(len(lengths))]
    sizes = constant(net, f"{result}/sizes", np.asarray(lengths, dtype=np.int64))
    cuts = [f"{piece}/kept" for piece in pieces] if not keep else pieces
    nodes = [add_node(net, "Split", node.name + "/split", [source.name, sizes], cuts, axis=axis)]
    if not keep:
        pairs = zip(cuts, pieces, strict=True)
        nodes += [reshaped(net, "Squeeze", cut, piece, axis) for cut, piece in pairs]
    net.sequences[result] = pieces
    return nodes


def _joined(net: Net, node: Node) -> list[Node]:
    items, axis = _list(net, node), node.attributes.get("axis", 0)
    if not items or not isinstance(axis, int):
        raise net.error(f"operator {node.name!r} (ConcatFromSequence) joins an empty list")
    nodes: list[Node] = []
    if node.attributes.get("new_axis", 0):
        names = [f"{node.outputs[0]}/part_{i}" for i in range(len(items))]
        pairs = zip(items, names, strict=True)
        nodes = [reshaped(net, "Unsqueeze", item, name, axis) for item, name in pairs]
        items = names
    label = f"{node.name}/join"
    return [*nodes, add_node(net, "Concat", label, list(items), [node.outputs[0]], axis=axis)]
