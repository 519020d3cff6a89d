"""Removal of operators that only rename memory.

Identity, Dropout, Reshape, Flatten, Squeeze, Unsqueeze move nothing; neither does a Cast to the
same type, a Transpose that moves only dimensions of one element, an Expand, Slice or Pad that
leaves everything as it was, or an operator that joins a single tensor. Consumers then name the
tensor underneath.
"""

from __future__ import annotations

from hetsim.workload.onnx.ir import Net, Node

ALWAYS_VIEWS = frozenset({"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})
_SAME_SHAPE = frozenset({"Expand", "Pad", "Tile", "Slice", "CenterCropPad"})
_JOINS = frozenset({"Concat", "Sum", "Max", "Min", "Mean"})


def is_view(net: Net, node: Node) -> bool:
    """Whether output 0 of ``node`` is input 0 under another name or shape."""
    if node.domain or not node.inputs or not node.inputs[0] or not node.outputs[0]:
        return False
    if node.kind in ALWAYS_VIEWS:
        return True
    source, result = net.values[node.inputs[0]], net.values[node.outputs[0]]
    if node.kind == "Cast":
        return source.elem_type == result.elem_type
    if node.kind == "Transpose":
        moved = [d for d in _permutation(node, source.rank) if source.shape[d] != 1]
        return moved == sorted(moved)
    if node.kind == "Slice":  # a reversal keeps the shape and still moves every element
        return source.shape == result.shape and not _has_negative_step(net, node)
    if node.kind == "Pad":  # pads of +1 and -1 shift the content and keep the shape
        return source.shape == result.shape and _all_zero_pads(net, node)
    if node.kind in _SAME_SHAPE:
        return source.shape == result.shape
    return node.kind in _JOINS and len(node.inputs) == 1


def _permutation(node: Node, rank: int) -> tuple[int, ...]:
    given = node.attributes.get("perm")
    return given if isinstance(given, tuple) else tuple(reversed(range(rank)))


def _has_negative_step(net: Net, node: Node) -> bool:
    if len(node.inputs) < 5 or not node.inputs[4]:
        return False
    steps = net.values[node.inputs[4]].data
    return steps is None or bool((steps < 0).any())


def _all_zero_pads(net: Net, node: Node) -> bool:
    given = node.attributes.get("pads", node.attributes.get("paddings"))
    if isinstance(given, tuple):
        return not any(given)
    pads = net.values[node.inputs[1]].data if len(node.inputs) > 1 else None
    return pads is not None and not pads.any()


def remove_views(net: Net) -> dict[str, str]:
    """Drops view nodes; returns the tensor underneath each removed name.

    The operands' own shapes are still wanted by cost rules, so nodes keep the view's names and the
    caller resolves them when it builds operators. Graph outputs are resolved here.
    """
    alias: dict[str, str] = {}
    kept: list[Node] = []
    for node in net.nodes:
        if is_view(net, node):
            source = node.inputs[0]
            alias[node.outputs[0]] = alias.get(source, source)
        else:
            kept.append(node)
    net.nodes = kept
    net.outputs = list(dict.fromkeys(alias.get(t, t) for t in net.outputs))
    return alias
