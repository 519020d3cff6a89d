"""Shapes of every tensor, and the values of the small constants that decide them.

One pass in topological order: each node is handed to ONNX's own inference function for its
operator set, or to a rule of ours (:mod:`hetsim.workload.onnx.shaping`), together with the
constants known so far, so shape arithmetic (Shape, Gather, Concat, Reshape, ...) resolves on the
way and a network of n nodes costs n inferences. What neither knows may be stated: by the user, or
by the file's value_info.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import onnx
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper, shape_inference

from hetsim.errors import WorkloadError
from hetsim.workload.costing.registry import Call
from hetsim.workload.onnx.batch import BATCH
from hetsim.workload.onnx.evaluate import mark_constant
from hetsim.workload.onnx.ir import (
    DTYPES,
    MODELLED_DOMAINS,
    Net,
    Node,
    Value,
    dimensions,
    element_type_name,
    make_type,
    static_shape,
)
from hetsim.workload.onnx.order import RANDOM, SHAPE_OF
from hetsim.workload.onnx.shaping import SHAPES, Form, Shaped, find_rule, like_first

_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_INFERENCE_ERRORS = (
    shape_inference.InferenceError, onnx.checker.ValidationError, RuntimeError, ValueError
)  # fmt: skip


def infer(net: Net, nodes: Iterable[Node], read: set[str] | None = None) -> None:
    """Fills ``net.values`` with the outputs of ``nodes`` (in topological order).

    Outputs outside of ``read`` are taken away from their nodes; ``None`` keeps all. What
    ``net.values`` already holds stays.

    Raises:
        WorkloadError: contradicting shapes, a shape that depends on data, an unknown data type.
    """
    for node in nodes:
        if all(tensor in net.values for tensor in node.outputs if tensor):
            continue
        types = _output_types(net, node, read)
        for position, tensor in enumerate(node.outputs):
            if read is None or tensor in read:
                if tensor:
                    net.values[tensor] = _value(net, node, position, types.get(tensor))
            elif tensor:  # nobody reads it: a dropout mask, say. Other steps must not see it
                node.outputs[position] = ""
        _check_elements(net, node)
        if is_constant(net, node):
            mark_constant(net, node)


def _check_elements(net: Net, node: Node) -> None:
    """ONNX's inference believes a target shape whatever it is given to reshape."""
    if node.kind != "Reshape" or node.domain or not node.outputs[0]:
        return
    source, result = net.values[node.inputs[0]], net.values[node.outputs[0]]
    if source.elements != result.elements:
        raise net.error(
            f"operator {node.name!r} (Reshape) makes {list(result.shape)} of"
            f" {list(source.shape)}: {result.elements:,} elements of {source.elements:,}",
            hint="the file fixes this shape for inputs of another size",
        )


def is_constant(net: Net, node: Node) -> bool:
    """Whether the results of ``node`` depend on no input of the network."""
    return node.kind in SHAPE_OF or (
        node.kind not in RANDOM and all(not t or net.values[t].constant for t in node.inputs)
    )


def _value(net: Net, node: Node, position: int, found: TypeProto | None) -> Value:
    tensor = node.outputs[position]
    if found is not None and found.WhichOneof("value") not in ("tensor_type", None):
        raise net.error(
            f"operator {node.name!r} ({node.kind}) makes {tensor!r}, which is not a tensor but a"
            f" {found.WhichOneof('value')}"
        )
    declared = net.declared.get(tensor)
    elem_type = next(
        (t.tensor_type.elem_type for t in (found, declared) if t and t.tensor_type.elem_type), 0
    )
    shape = _stated(net, node, position, found) or _declared_shape(net, found)
    if shape is None:
        shape = _declared_shape(net, declared)
    if shape is not None and not elem_type:  # stated by the user: it computes in what it reads
        elem_type = next((net.values[t].elem_type for t in node.inputs if t), TensorProto.FLOAT)
    if shape is None:
        raise _unknown_shape(net, node, tensor, found)
    if elem_type not in DTYPES:
        raise net.error(
            f"operator {node.name!r} ({node.kind}) makes tensor {tensor!r} of data type"
            f" {element_type_name(elem_type)}, which hetsim cannot size"
        )
    return Value(tensor, shape, elem_type, type_proto=make_type(elem_type, shape))


def _declared_shape(net: Net, declared: TypeProto | None) -> tuple[int, ...] | None:
    """A shape, its symbols replaced by what they are bound to."""
    if declared is None or not declared.tensor_type.HasField("shape"):
        return None
    dims = _bound(net, declared)
    return tuple(d for d in dims if isinstance(d, int)) if _all_known(dims) else None


def _bound(net: Net, declared: TypeProto) -> list[int | str]:
    return [net.symbols.get(d, d) if isinstance(d, str) else d for d in dimensions(declared)]


def _all_known(dims: Sequence[int | str]) -> bool:
    return all(isinstance(d, int) for d in dims)


def _stated(net: Net, node: Node, position: int, found: TypeProto | None) -> tuple[int, ...] | None:
    """The shape that ``max_output`` states, checked against what is known of it."""
    tensor = node.outputs[position]
    key = next((k for k in (tensor, node.name, node.kind) if k in net.max_output), None)
    if key is None:
        return None
    given = net.max_output[key]
    known: list[int | str] | None = None
    if found is not None and found.tensor_type.HasField("shape"):
        known = _bound(net, found)
    open_at = [i for i, d in enumerate(known or ()) if isinstance(d, str)]
    if key != tensor and known is not None and not open_at:  # of another operator of its kind
        return None
    if isinstance(given, int):
        if known is None or len(open_at) != 1:
            free = "all" if known is None else len(open_at)
            raise net.error(
                f"max_output: {key!r} is given the number {given}, but {free} of its dimensions"
                " are open",
                hint=f"give its whole shape: max_output: {{{key}: [1, 64, 80]}}",
            )
        net.stated.add(key)
        return tuple(d if isinstance(d, int) else given for d in known)
    if key != tensor and position:  # one shape is of one output, the first
        return None
    fits = known is None or (
        len(known) == len(given)
        and all(isinstance(k, str) or k == g for k, g in zip(known, given, strict=True))
    )
    if not fits:
        raise net.error(
            f"max_output: {key!r} is given {list(given)}, but {node.kind} makes"
            f" [{', '.join(map(str, known or ()))}] of these inputs"
        )
    net.stated.add(key)
    return tuple(given)


def _unknown_shape(net: Net, node: Node, tensor: str, found: TypeProto | None) -> WorkloadError:
    missing = next(
        (t for t in node.inputs if t and net.values[t].constant and net.values[t].data is None
         and net.values[t].elements <= 16), None,
    )  # fmt: skip
    why = (
        f"the value of constant {missing!r} is not in the file (external data that is missing?)"
        if missing
        else "it depends on the data, or the file lacks it"
    )
    ranked = found is not None and found.tensor_type.HasField("shape")
    dims = dimensions(found) if found is not None and ranked else ["?"]
    known = "[" + ", ".join(str(d) if isinstance(d, int) else "?" for d in dims) + "]"
    entry = f"{tensor}: {known}"
    if ranked and known.count("?") == 1:  # one number will do, for all of its kind as well
        entry, known = f"{tensor}: N}} or {{{node.kind}: N", "N"
    return net.error(
        f"the shape of tensor {tensor!r}, made by {node.name!r} ({node.kind}), is unknown: {why}",
        hint=f"state it in the scenario's entry of the model, numbers for '?' and N: max_output:"
        f" {{{entry}}}, or --max-output {tensor}={'N' if known == 'N' else 'SHAPE'}; the file's"
        " value_info may say it as well",
    )


def _output_types(net: Net, node: Node, read: set[str] | None) -> dict[str, TypeProto]:
    needed = [t for t in node.outputs if t and (read is None or t in read)]
    known: list[dict[str, TypeProto]] = []
    failures: list[Exception] = []
    ours_first = node.domain or f".{node.kind}" in SHAPES
    for ask in (_by_rule, _by_onnx) if ours_first else (_by_onnx, _by_rule):
        found = ask(net, node, needed, failures)
        if all(t in found and static_shape(found[t]) is not None for t in needed):
            return found
        known.append(found)
    result = {**known[1], **known[0]}
    if failures and not result:
        raise net.error(
            f"operator {node.name!r} ({node.kind}) does not fit its inputs"
            f" {_shapes(net, node)}: {_reason(failures[0])}"
        )
    return result


def _by_onnx(
    net: Net, node: Node, needed: Sequence[str], failures: list[Exception]
) -> dict[str, TypeProto]:
    """What ONNX infers; a newer form of an operator may know what an early one did not."""
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
    if node.kind == "Reshape" and net.batch_opened:
        _let_batch_through(net, node, data)
    opset_ids = [helper.make_opsetid(domain, version) for domain, version in net.opsets.items()]
    result: dict[str, TypeProto] = {}
    for schema in _schemas(net, node):
        try:
            found = shape_inference.infer_node_outputs(
                schema, node.proto, types, data, {}, opset_ids
            )
        except _INFERENCE_ERRORS as error:  # a newer form may fit, or not apply at all
            failures.append(error)
            continue
        result = result or found
        if all(t in found and static_shape(found[t]) is not None for t in needed):
            return found
    return result


def _let_batch_through(net: Net, node: Node, data: dict[str, TensorProto]) -> None:
    """A target shape that says 1 where the batch stands was written for a batch of one."""
    source, target = net.values[node.inputs[0]], net.values[node.inputs[1]].data
    batch = net.symbols[BATCH]
    if target is not None and target.size and target[0] == 1 and source.shape[:1] == (batch,):
        opened = target.copy()
        opened[0] = batch
        data[node.inputs[1]] = numpy_helper.from_array(opened)


def _schemas(net: Net, node: Node) -> list[onnx.defs.OpSchema]:
    """The operator's schema, then newer ones: early operator sets came without inference.

    An operator of ONNX Runtime's with the name of a standard one takes its shapes from that.
    """
    if not onnx.defs.has(node.kind, node.domain):
        borrowed = node.domain in MODELLED_DOMAINS and find_rule(node.domain, node.kind) is None
        return [onnx.defs.get_schema(node.kind)] if borrowed and onnx.defs.has(node.kind) else []
    version = net.opsets.get(node.domain)
    if version is None:
        if node.domain:
            return []
        version = onnx.defs.onnx_opset_version()
    newest = onnx.defs.get_schema(node.kind, node.domain)
    try:
        schema = onnx.defs.get_schema(node.kind, version, node.domain)
    except onnx.defs.SchemaError:
        return [newest]
    return [schema] if schema.since_version == newest.since_version else [schema, newest]


def _by_rule(
    net: Net, node: Node, needed: Sequence[str], failures: list[Exception]
) -> dict[str, TypeProto]:
    """What our own rule says, where ONNX has no operator of this kind in this domain."""
    rule = find_rule(node.domain, node.kind)
    if rule is None or node.domain not in MODELLED_DOMAINS:
        return {}
    overrules = rule is like_first or f".{node.kind}" in SHAPES
    if not node.domain and onnx.defs.has(node.kind) and not overrules:
        return {}
    inputs = tuple(net.values[t] if t else None for t in node.inputs)
    call = Call(node.name, node.kind, node.attributes, inputs, ())
    try:
        shaped = rule(Form(call, partial(_standard, node.proto), net, node.outputs))
        return {
            tensor: make_type(*known)
            for tensor, known in zip(node.outputs, shaped, strict=False)
            if tensor and known is not None
        }
    except (*_INFERENCE_ERRORS, *_MALFORMED, WorkloadError) as error:
        failures.append(error)
        return {}


def _standard(
    proto: NodeProto, kind: str, operands: Sequence[Value], attributes: Iterable[str] = ()
) -> list[Shaped]:
    """ONNX's inference of its own operator ``kind``, with some attributes of ``proto``."""
    names = [f"x{i}" for i in range(len(operands))]
    wanted = set(attributes)
    plain = helper.make_node(kind, names, ["y"])
    plain.attribute.extend(a for a in proto.attribute if a.name in wanted)
    types = {n: make_type(v.elem_type, v.shape) for n, v in zip(names, operands, strict=True)}
    opset = [helper.make_opsetid("", onnx.defs.onnx_opset_version())]
    schema = onnx.defs.get_schema(kind)
    found: Mapping[str, TypeProto] = shape_inference.infer_node_outputs(
        schema, plain, types, {}, {}, opset
    )
    shape = static_shape(found["y"]) if "y" in found else None
    return [None if shape is None else (found["y"].tensor_type.elem_type, shape)]


def _shapes(net: Net, node: Node) -> str:
    return ", ".join(str(list(net.values[t].shape)) for t in node.inputs if t)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()[0]
    for mark in ("[ShapeInferenceError]", "[TypeInferenceError]"):
        text = text.replace(mark, "").strip()
    return text
