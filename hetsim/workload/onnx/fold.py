"""Folding of per-channel affine operators into the convolution before them.

Every inference compiler does this: ``BatchNormalization(Conv(x))`` is a convolution with other
weights. The same holds for the constant Mul/Add pairs that Caffe's Scale layers turn into, and for
those behind a BatchNormalization that itself stays. Only constants are changed, and those are
already counted as published.
"""

from __future__ import annotations

from hetsim.workload.onnx.ir import Net, Node, Value

_PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm"})
_HOSTS = _PRODUCTS | {"BatchNormalization"}
_AFFINE = frozenset({"Mul", "Add", "Sub", "Div"})


def fold_affine(net: Net) -> int:
    """Folds what can be folded in ``net`` (constants and views already gone); returns how many.

    A node folds when it is the only reader of its host's result, which is no graph output.
    """
    readers: dict[str, int] = {}
    for node in net.nodes:
        for tensor in node.inputs:
            readers[tensor] = readers.get(tensor, 0) + 1
    producer: dict[str, Node] = {}
    outputs = set(net.outputs)
    kept: list[Node] = []
    for node in net.nodes:
        source = _affine_source(net, node)
        host = producer.get(source) if source else None
        private = source not in outputs and readers.get(source) == 1
        if host is not None and private and _accepts(net, host, node):
            _absorb(net, host, node)
            net.absorbed[node.name] = host.name
            producer[node.outputs[0]] = host
            continue
        kept.append(node)
        if node.kind in _HOSTS and not node.domain:
            producer[node.outputs[0]] = node
    folded = len(net.nodes) - len(kept)
    net.nodes = kept
    return folded


def _affine_source(net: Net, node: Node) -> str:
    """The activation a per-channel affine node scales or shifts; empty for any other node."""
    if node.domain:
        return ""
    values = [net.values[t] if t else None for t in node.inputs]
    if node.kind == "BatchNormalization":
        training = node.attributes.get("training_mode", 0)
        constant = all(v is not None and v.constant for v in values[1:])
        return node.inputs[0] if constant and not training else ""
    if node.kind not in _AFFINE or len(values) != 2:
        return ""
    left, right = values
    if left is None or right is None or left.constant == right.constant:
        return ""
    if node.kind == "Div" and left.constant:
        return ""
    source, factor = (left, right) if right.constant else (right, left)
    return source.name if _per_channel(source, factor, node) else ""


def _per_channel(source: Value, factor: Value, node: Node) -> bool:
    """Whether ``factor`` holds one number, or one per channel (dimension 1) of ``source``."""
    if factor.elements == 1 and factor.rank <= source.rank:
        return True
    if source.rank < 2 or factor.elements != source.shape[1]:
        return False
    if "axis" in node.attributes:  # broadcast of opset < 7: aligned at the axis
        return factor.rank == 1 and node.attributes["axis"] == 1
    position = factor.rank - (source.rank - 1)
    return position >= 0 and factor.shape[position] == source.shape[1]


def _accepts(net: Net, host: Node, node: Node) -> bool:
    """Whether the host's parameters are constants that can take the affine step up."""
    parameters = [net.values[t] for t in host.inputs[1:] if t]
    if not parameters or not all(value.constant for value in parameters):
        return False
    # The channel has to be the one that the host's weights run along.
    same = net.values[host.outputs[0]].shape == net.values[node.outputs[0]].shape
    if host.kind == "BatchNormalization":
        training = host.attributes.get("training_mode", 0)
        return same and not training and node.kind != "BatchNormalization"
    return same


def _absorb(net: Net, host: Node, node: Node) -> None:
    """Gives ``host`` the result of ``node``, and a bias if the step shifts and it had none."""
    host.outputs = [node.outputs[0], *host.outputs[1:]]
    if host.kind not in _PRODUCTS or node.kind in ("Mul", "Div"):
        return
    if len(host.inputs) > 2 and host.inputs[2]:
        return
    bias = f"{host.name}/folded_bias"
    channels = net.values[host.outputs[0]].shape[1]
    net.values[bias] = Value(bias, (channels,), net.values[host.inputs[1]].elem_type, constant=True)
    host.inputs = [*host.inputs[:2], bias]
