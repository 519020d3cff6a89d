"""Reading an ONNX file into a :class:`~hetsim.workload.onnx.ir.Net`, without its weights.

Weights in side files are never opened unless they are small enough to be shape arithmetic.
Local functions are inlined. Nodes with graphs inside (``If``, ``Loop``, ``Scan``) name among their
inputs what those graphs read from outside, so that they stand in the right place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

from hetsim.errors import Location, WorkloadError
from hetsim.infiles import read_bytes
from hetsim.numeric import Array
from hetsim.workload.onnx.batch import open_batch
from hetsim.workload.onnx.inputs import add_inputs
from hetsim.workload.onnx.ir import (
    Names,
    Net,
    Node,
    Value,
    check_type,
    static_shape,
)
from hetsim.workload.onnx.zeros import sparse_axes
from hetsim.workload.sizes import NO_SIZES, Sizes

CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})
"""Kinds that run graphs of their own; :mod:`.controlflow` replaces them."""
MAX_OPSET = 2**16
"""No operator set has such a version; ONNX itself takes numbers below 2^31 only."""
MAX_BYTES = 2**31
"""Protobuf reads no more at once; weights of larger models stand in side files."""
KEEP_DATA = 1024
"""Constants up to this many elements keep their values, because they may be shapes."""


def read_model(path: str | Path) -> ModelProto:
    """Parses the file at ``path``, leaving external weights where they are.

    Raises:
        WorkloadError: missing, unreadable, truncated, or not an ONNX model.
    """
    where = Location(str(path))
    content = read_bytes(path, limit=MAX_BYTES, error=WorkloadError)
    hint = "expected a binary ONNX file as torch.onnx.export or onnx.save writes it"
    if not content:
        raise WorkloadError("the file is empty", where=where, hint=hint)
    try:
        model: ModelProto = ModelProto.FromString(content)
    except Exception:  # protobuf's DecodeError, whose package ships no type stubs
        raise WorkloadError("not an ONNX model, or truncated", where=where, hint=hint) from None
    if not model.HasField("graph"):
        raise WorkloadError("not an ONNX model: it holds no graph", where=where, hint=hint)
    if not model.opset_import:
        raise WorkloadError(
            "not an ONNX model, or truncated: it names no operator set", where=where, hint=hint
        )
    return model


def inline_functions(model: ModelProto, where: Location) -> ModelProto:
    """Replaces calls of the model's own functions by their bodies."""
    if not model.functions:
        return model
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        raise WorkloadError(f"its functions cannot be inlined: {error}", where=where) from error


def parse(
    model: ModelProto,
    *,
    name: str | None,
    where: Location,
    sizes: Sizes = NO_SIZES,
    folder: Path | None = None,
) -> Net:
    """The nodes, constants and inputs of ``model``, nodes in file order.

    Raises:
        WorkloadError: empty graph, a symbolic or contradicted input shape, a data
            type hetsim cannot size.
    """
    graph = model.graph
    _refuse_broken_text(model, where)
    net = Net(
        name=name or graph.name or Path(where.file).stem,
        where=where,
        nodes=[],
        values={},
        inputs=[],
        outputs=list(dict.fromkeys(output.name for output in graph.output)),
        max_output=sizes.max_output,
        folder=folder,
        opsets={_domain(opset.domain): opset.version for opset in model.opset_import},
    )
    if not graph.node:
        raise net.error("the network is empty: it has no operators")
    if not net.outputs:
        raise net.error("the network has no outputs, so nothing needs to be computed")
    for domain, number in net.opsets.items():
        if not 0 < number < MAX_OPSET:
            raise net.error(f"operator set {domain or 'ai.onnx'!r} has version {number}")
    newest = onnx.defs.onnx_opset_version()
    if (asked := net.opsets.get("", 0)) > newest:
        net.notes.append(
            f"operator set {asked} is newer than {newest}, the newest that the onnx package here"
            " knows: operators are taken for what they are in that"
        )
    for index, node in enumerate(graph.node):
        if not any(node.output):
            label = node.name or f"{node.op_type}_{index}"
            raise net.error(f"operator {label!r} ({node.op_type}) has no output")
    for tensor in graph.initializer:
        add_constant(net, tensor.name, tensor)
    for sparse in graph.sparse_initializer:
        kind = sparse.values.data_type
        check_type(net, sparse.values.name, kind)
        net.values[sparse.values.name] = Value(
            sparse.values.name, tuple(sparse.dims), kind, constant=True
        )
    inputs = [info for info in graph.input if info.name not in net.values]
    opened = open_batch(inputs, sizes.dims)
    net.batch_opened = opened != inputs
    for info in [] if net.batch_opened else [*graph.value_info, *graph.output]:
        if info.name not in net.declared or static_shape(info.type) is not None:
            net.declared[info.name] = info.type
    add_inputs(net, opened, sizes)
    for node, label in zip(graph.node, node_names(graph.node, net.names), strict=True):
        net.nodes.append(make_node(net, node, label))
    return net


def node_names(nodes: Sequence[NodeProto], taken: Names | None = None) -> list[str]:
    """What hetsim calls the nodes of a file: their own names, by kind and position without one.

    Names that repeat, or are ``taken``, are numbered, so that all are distinct.
    """
    names = Names() if taken is None else taken
    return [names.unique(node.name or f"{node.op_type}_{i}") for i, node in enumerate(nodes)]


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _refuse_broken_text(model: ModelProto, where: Location) -> None:
    """Protobuf hands out names that are not UTF-8 as bytes: the file is damaged."""
    texts = [opset.domain for opset in model.opset_import] + list(_texts(model.graph))
    broken = next((text for text in texts if not isinstance(text, str)), None)
    if broken is not None:
        raise WorkloadError(f"the file is damaged: {broken!r} is not text", where=where)


def _texts(graph: GraphProto) -> Iterator[str]:
    """Every name in ``graph`` and the graphs inside it."""
    yield graph.name
    for named in (graph.input, graph.output, graph.value_info, graph.initializer):
        yield from (item.name for item in named)
    for info in (*graph.input, *graph.output, *graph.value_info):
        yield from (dim.dim_param for dim in info.type.tensor_type.shape.dim)
    for node in graph.node:
        yield from (node.op_type, node.domain, node.name, *node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
            if attribute.type == AttributeProto.GRAPH:
                yield from _texts(attribute.g)


def captured(graph: GraphProto) -> list[str]:
    """Names of tensors that ``graph``, an attribute of a node, reads from outside."""
    local = {t.name for t in graph.initializer} | {i.name for i in graph.input}
    local |= {t for node in graph.node for t in node.output}
    read = [t for node in graph.node for t in (*node.input, *_captured(node))]
    read += [output.name for output in graph.output]
    return list(dict.fromkeys(t for t in read if t and t not in local))


def _captured(node: NodeProto) -> list[str]:
    graphs = [a.g for a in node.attribute if a.type == AttributeProto.GRAPH]
    return [name for graph in graphs for name in captured(graph)]


def add_constant(net: Net, name: str, tensor: TensorProto) -> None:
    """Adds a constant of the file; its data are kept when it is small."""
    net.values[name] = _constant(net, name, tensor)


def _constant(net: Net, name: str, tensor: TensorProto) -> Value:
    shape = tuple(int(dim) for dim in tensor.dims)
    if tensor.data_type == TensorProto.STRING:
        # Class labels and the like: harmless unless an operator reads them, which then says so.
        return Value(name, shape, tensor.data_type, constant=True)
    check_type(net, name, tensor.data_type)
    value = Value(name, shape, tensor.data_type, constant=True)
    if prod(shape) <= KEEP_DATA:
        value.data = _small_data(tensor, net.folder)
    value.sparse_axes = sparse_axes(tensor)
    return value


def _small_data(tensor: TensorProto, folder: Path | None) -> Array | None:
    external = tensor.data_location == TensorProto.EXTERNAL
    if external and folder is None:
        return None
    try:
        return numpy_helper.to_array(tensor, str(folder or ""))
    except Exception:  # a missing or short side file, or stripped weights: only the size is known
        return None


def make_node(net: Net, node: NodeProto, name: str) -> Node:
    """The node called ``name``; a constant that it holds goes to ``net.values``."""
    attributes: dict[str, object] = {}
    inputs = list(node.input)
    for attribute in node.attribute:
        if attribute.type in (AttributeProto.TENSOR, AttributeProto.SPARSE_TENSOR):
            if node.op_type == "Constant":
                _constant_attribute(net, node.output[0], attribute)
        elif attribute.type in _PLAIN:
            attributes[attribute.name] = _plain(onnx.helper.get_attribute_value(attribute))
    if node.op_type == "Constant" and node.output[0] not in net.values and attributes:
        _constant_from_plain(net, node.output[0], attributes)
    if node.op_type == "Reshape" and len(inputs) == 1 and "shape" in attributes:
        # Opset 1 gave the shape as an attribute; as an input, one rule serves all versions.
        inputs.append(f"{name}/shape")
        node = NodeProto.FromString(node.SerializeToString())
        node.input.append(inputs[1])
        del node.attribute[:]
        target = np.asarray(attributes.pop("shape"), dtype=np.int64)
        tensor = numpy_helper.from_array(target, inputs[1])
        net.values[inputs[1]] = _constant(net, inputs[1], tensor)
    inputs += [tensor for tensor in _captured(node) if tensor not in inputs]
    return Node(
        name, node.op_type, _domain(node.domain), inputs, list(node.output), attributes, node
    )


_PLAIN = frozenset(
    {
        AttributeProto.INT,
        AttributeProto.INTS,
        AttributeProto.FLOAT,
        AttributeProto.FLOATS,
        AttributeProto.STRING,
        AttributeProto.STRINGS,
    }
)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str | int | float):
        return value
    return tuple(_plain(item) for item in value)  # type: ignore[attr-defined]


def _constant_attribute(net: Net, output: str, attribute: AttributeProto) -> None:
    if attribute.type == AttributeProto.SPARSE_TENSOR:
        sparse = attribute.sparse_tensor
        check_type(net, output, sparse.values.data_type)
        net.values[output] = Value(
            output, tuple(sparse.dims), sparse.values.data_type, constant=True
        )
    else:
        net.values[output] = _constant(net, output, attribute.t)


def _constant_from_plain(net: Net, output: str, attributes: Mapping[str, object]) -> None:
    key, content = next(iter(attributes.items()))
    kinds: dict[str, type[np.generic]] = {
        "value_int": np.int64, "value_ints": np.int64,
        "value_float": np.float32, "value_floats": np.float32,
    }  # fmt: skip
    if key not in kinds:  # strings: sized only if an operator needs them, and then refused
        net.values[output] = Value(output, (), TensorProto.STRING, constant=True)
        return
    array = np.asarray(content, dtype=kinds[key])
    net.values[output] = _constant(net, output, numpy_helper.from_array(array, output))
