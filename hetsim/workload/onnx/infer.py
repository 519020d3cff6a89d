"""Shapes of every tensor, and the values of the small constants that decide them.

One pass in topological order: each node is handed to ONNX's own inference function for its
operator set, together with the constants known so far, so shape arithmetic (Shape, Gather, Concat,
Reshape, ...) resolves on the way and a network of n nodes costs n inferences. Constants too big to
be shapes are sized and never filled in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, TypeProto, helper, numpy_helper, shape_inference

from hetsim.numeric import Array
from hetsim.workload.onnx.ir import (
    DTYPES,
    Net,
    Node,
    Value,
    element_type_name,
    make_type,
    static_shape,
)

MAX_INTEGERS = 1024
"""Integer and boolean constants up to this many elements are evaluated: they may be shapes."""
MAX_FLOATS = 32
"""The same for floats, which reach shapes only as scale factors."""

LIKE_FIRST_INPUT = frozenset(
    {
        "FastGelu", "BiasGelu", "QuickGelu", "Gelu", "FusedGelu", "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization", "SimplifiedLayerNormalization", "LayerNormalization",
        "GroupNormalization", "RMSNormalization",
        "QLinearAdd", "QLinearMul", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax",
        "MultiHeadAttention", "RotaryEmbedding",
    }
)  # fmt: skip
"""Operators for which ONNX infers nothing and whose output is shaped and typed like input 0."""

_SAME_ELEMENTS = frozenset(
    {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Cast", "Dropout",
     "DequantizeLinear"}
)  # fmt: skip


_INFERENCE_ERRORS = (
    shape_inference.InferenceError, onnx.checker.ValidationError, RuntimeError, ValueError
)  # fmt: skip


def infer(net: Net, nodes: list[Node], constant: set[str]) -> None:
    """Fills ``net.values`` with the outputs of ``nodes`` (in topological order).

    Raises:
        WorkloadError: contradicting shapes, a shape that depends on data, an unknown data type.
    """
    opset_ids = [helper.make_opsetid(domain, version) for domain, version in net.opsets.items()]
    read = {tensor for node in nodes for tensor in node.inputs}.union(net.outputs)
    for node in nodes:
        if node.kind == "Constant" and node.outputs[0] in net.values:
            continue
        types = _output_types(net, node, opset_ids, read)
        for position, tensor in enumerate(node.outputs):
            if tensor in read:
                net.values[tensor] = _value(net, node, position, types.get(tensor))
            elif tensor:  # nobody reads it: a dropout mask, say. Other steps must not see it
                node.outputs[position] = ""
        if all(tensor in constant for tensor in node.outputs if tensor):
            _mark_constant(net, node)


def _value(net: Net, node: Node, position: int, found: TypeProto | None) -> Value:
    tensor = node.outputs[position]
    for candidate in (found, net.declared.get(tensor)):
        if candidate is None or candidate.WhichOneof("value") != "tensor_type":
            continue
        shape = static_shape(candidate)
        if shape is None or not candidate.tensor_type.elem_type:
            continue
        elem_type = candidate.tensor_type.elem_type
        if elem_type not in DTYPES:
            raise net.error(
                f"operator {node.name!r} ({node.kind}) makes tensor {tensor!r} of data type"
                f" {element_type_name(elem_type)}, which hetsim cannot size"
            )
        return Value(tensor, shape, elem_type, type_proto=make_type(elem_type, shape))
    if found is not None and found.WhichOneof("value") not in ("tensor_type", None):
        raise net.error(
            f"operator {node.name!r} ({node.kind}) makes {tensor!r}, which is not a tensor but a"
            f" {found.WhichOneof('value')}"
        )
    missing = next(
        (t for t in node.inputs if t and net.values[t].constant and net.values[t].data is None
         and net.values[t].elements <= 16), None,
    )  # fmt: skip
    why = (
        f"the value of constant {missing!r} is not in the file (external data that is missing?)"
        if missing
        else "it depends on the data, or the file lacks it"
    )
    raise net.error(
        f"the shape of tensor {tensor!r}, made by {node.name!r} ({node.kind}), is unknown: {why}",
        hint="every shape must follow from the input shapes; add it to the file's value_info if"
        " the operator is a custom one",
    )


def _output_types(
    net: Net, node: Node, opset_ids: list[onnx.OperatorSetIdProto], read: set[str]
) -> dict[str, TypeProto]:
    needed = [tensor for tensor in node.outputs if tensor in read]
    types: dict[str, TypeProto] = {}
    data: dict[str, TensorProto] = {}
    for tensor in node.inputs:
        if tensor and tensor not in types:
            value = net.values[tensor]
            if value.type_proto is None:
                value.type_proto = make_type(value.elem_type, value.shape)
            types[tensor] = value.type_proto
            if value.data is not None:
                data[tensor] = numpy_helper.from_array(value.data)
    version = net.opsets.get(node.domain)
    if version is None and node.domain == "":
        version = onnx.defs.onnx_opset_version()
    result: dict[str, TypeProto] = {}
    failure: Exception | None = None
    for schema in _schemas(node, version):
        try:
            found = shape_inference.infer_node_outputs(
                schema, node.proto, types, data, {}, opset_ids
            )
        except _INFERENCE_ERRORS as error:  # a newer form may fit, or not apply at all
            failure = failure or error
            continue
        result = result or found
        if all(t in found and static_shape(found[t]) is not None for t in needed):
            return found
    if failure is not None and not result:
        raise net.error(
            f"operator {node.name!r} ({node.kind}) does not fit its inputs"
            f" {_shapes(net, node)}: {_reason(failure)}"
        )
    stated = node.outputs[0] in net.declared and static_shape(net.declared[node.outputs[0]])
    if not stated and node.kind in LIKE_FIRST_INPUT and node.inputs:
        result[node.outputs[0]] = types[node.inputs[0]]
    return result


def _schemas(node: Node, version: int | None) -> list[onnx.defs.OpSchema]:
    """The operator's schema, then newer ones: early operator sets came without inference."""
    if version is None or not onnx.defs.has(node.kind, node.domain):
        return []
    newest = onnx.defs.get_schema(node.kind, node.domain)
    try:
        schema = onnx.defs.get_schema(node.kind, version, node.domain)
    except onnx.defs.SchemaError:
        return [newest]
    return [schema] if schema.since_version == newest.since_version else [schema, newest]


def _shapes(net: Net, node: Node) -> str:
    return ", ".join(str(list(net.values[t].shape)) for t in node.inputs if t)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()[0]
    for mark in ("[ShapeInferenceError]", "[TypeInferenceError]"):
        text = text.replace(mark, "").strip()
    return text


def _mark_constant(net: Net, node: Node) -> None:
    outputs = [net.values[t] for t in node.outputs if t]
    for value in outputs:
        value.constant = True
    if node.kind in _SAME_ELEMENTS:
        origin = net.values[node.inputs[0]]
        outputs[0].root = origin.root or origin.name
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
