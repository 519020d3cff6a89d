"""The values of constants that an operator makes of constants, as far as shapes may need them.

Constants too big to be shapes are sized and never filled in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from hetsim.numeric import Array
from hetsim.workload.onnx.ir import Net, Node, Value
from hetsim.workload.onnx.zeros import moved

MAX_INTEGERS = 1024
"""Integer and boolean constants up to this many elements are evaluated: they may be shapes."""
MAX_FLOATS = 32
"""The same for floats, which reach shapes only as scale factors."""

_SAME_ELEMENTS = frozenset(
    {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Dropout",
     "DequantizeLinear"}
)  # fmt: skip


def mark_constant(net: Net, node: Node) -> None:
    """Makes the outputs of ``node``, whose inputs are constants, constants with their values."""
    outputs = [net.values[t] for t in node.outputs if t]
    for value in outputs:
        value.constant = True
    if node.kind in _SAME_ELEMENTS:
        origin = net.values[node.inputs[0]]
        outputs[0].root = origin.root or origin.name
        if node.kind == "Transpose":
            order = node.attributes.get("perm")
            outputs[0].sparse_axes = moved(origin.sparse_axes, order, origin.rank)
        elif outputs[0].shape == origin.shape:
            outputs[0].sparse_axes = origin.sparse_axes
        if node.kind == "DequantizeLinear":
            outputs[0].stored = origin.stored or origin.dtype
        elif node.kind != "Cast":
            outputs[0].stored = origin.stored
    if all(_small(value) for value in outputs):
        for value, array in zip(outputs, _evaluate(net, node), strict=False):
            value.data = array


def _small(value: Value) -> bool:
    integer = value.dtype.startswith(("int", "uint", "bool"))
    return value.elements <= (MAX_INTEGERS if integer else MAX_FLOATS)


def _evaluate(net: Net, node: Node) -> list[Array]:
    """The outputs of a node on small constants; empty when some input's data is not known."""
    if node.kind in ("Shape", "Size"):
        return [_shape_of(net.values[node.inputs[0]], node)]
    values = [net.values[t] for t in node.inputs if t]
    if any(value.data is None for value in values):
        return []
    try:
        if node.kind == "ConstantOfShape":
            return [_filled(node, net.values[node.outputs[0]].shape)]
        return _run(net, node, values)
    except Exception:  # not executable here: the constant keeps its size and loses its values
        return []


def _filled(node: Node, shape: tuple[int, ...]) -> Array:
    fill: Any = next((numpy_helper.to_array(a.t) for a in node.proto.attribute), np.float32(0))
    content = np.asarray(fill).reshape(-1)
    return np.full(shape, content[0], content.dtype)


def _run(net: Net, node: Node, values: list[Value]) -> list[Array]:
    """One node on ONNX's reference implementation."""
    from onnx.reference import ReferenceEvaluator

    present = [t for t in node.outputs if t]
    graph = helper.make_graph(
        [node.proto],
        "constant",
        [helper.make_tensor_value_info(v.name, v.elem_type, v.shape)
         for v in {v.name: v for v in values}.values()],
        [helper.make_tensor_value_info(t, net.values[t].elem_type, None) for t in present],
    )  # fmt: skip
    opsets = [helper.make_opsetid(domain, version) for domain, version in net.opsets.items()]
    evaluator = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))
    results = evaluator.run(None, {value.name: value.data for value in values})
    return [np.asarray(result) for result in results]


def _shape_of(value: Value, node: Node) -> Array:
    if node.kind == "Size":
        return np.asarray(value.elements, dtype=np.int64)
    start, end = node.attributes.get("start"), node.attributes.get("end")
    window = slice(start if isinstance(start, int) else None, end if isinstance(end, int) else None)
    return np.asarray(value.shape[window], dtype=np.int64)
