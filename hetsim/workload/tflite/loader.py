"""TFLite file to operator graph.

An operator is called by TFLite's name of its kind and its position in the file, as the profiler of
``benchmark_model`` counts it: ``CONV_2D_3``. An activation function inside it becomes an operator
behind it, ``CONV_2D_3/Relu``: whether a unit runs both as one kernel is for its SoC file to say.
Batch normalisation was folded by the converter, so ``fold_batch_norm`` finds nothing to do.

Quantised operators compute in the type of their data (int8), their biases are int32; scaling the
accumulators back to int8 is part of the product's kernel and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx import NodeProto

from hetsim.errors import WorkloadError
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.ir import DTYPES, Net, Node, Value
from hetsim.workload.onnx.loader import (
    UnknownOperators,
    check_kinds,
    count_parameters,
    drop_constant_outputs,
    graph_of,
)
from hetsim.workload.tflite.batch import bind, shapes_of_batch
from hetsim.workload.tflite.draft import Draft
from hetsim.workload.tflite.file import DAMAGED, File, FileOperator, accessors, read_file
from hetsim.workload.tflite.kinds import FUSED, VIEWS, Made, is_view, translate
from hetsim.workload.tflite.layout import images

MODELLED = "tflite"
"""Domain of nodes whose kind is told in ONNX's names; others keep the file's, and nobody's rule."""
_CONTROL_FLOW = frozenset({"IF", "WHILE", "CALL", "CALL_ONCE", "STABLEHLO_WHILE"})
_SHAPE_OF = frozenset({"SHAPE", "RANK"})
_SAME_ELEMENTS = VIEWS | {"TRANSPOSE", "DEQUANTIZE"}
"""Kinds that leave the elements of a constant what they are."""
_NOTHING = NodeProto()
"""Shapes are in the file, so nothing is inferred from a node's original form."""


def load_tflite(
    path: str | Path,
    *,
    name: str | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dims: Mapping[str, int] | None = None,
    max_output: Mapping[str, object] | None = None,
    fold_batch_norm: bool = True,
    unknown_operators: UnknownOperators = "error",
) -> Graph:
    """Loads a network from a TFLite file.

    ``input_shapes``, or ``dims`` as ``{"batch": 8}``, may give another batch to inputs that leave
    theirs open; ``max_output`` has nothing to state. ``fold_batch_norm``
    changes nothing: converters have folded it. The others are those of
    :func:`hetsim.workload.onnx.loader.load_onnx`.

    Raises:
        WorkloadError: the file, a shape or an operator cannot be understood; names the file.
    """
    file = read_file(path)
    if max_output:
        raise file.error(
            f"max_output names {next(iter(max_output))!r}, but a TFLite file states every shape"
        )
    file = bind(file, {**shapes_of_batch(file, dims or {}), **(input_shapes or {})})
    operators = _live(file)
    flow = sorted({op.kind for op in operators if op.kind in _CONTROL_FLOW and not op.custom})
    if flow:
        raise file.error(
            f"control flow cannot be simulated, its work is unknown before it runs:"
            f" {', '.join(flow)}",
            hint="convert one step of the network, with the state as inputs and outputs",
        )
    try:
        net = Net(
            name or Path(path).stem, file.where, [], {}, list(_names(file, file.inputs)),
            list(dict.fromkeys(_names(file, file.outputs))), {}, notes=list(file.notes),
        )  # fmt: skip
        draft = Draft(file, net, images(file.tensors, operators), accessors())
        for op in operators:
            _add(draft, op)
        net.outputs = list(dict.fromkeys(draft.alias.get(t, t) for t in net.outputs))
        check_kinds(net, net.nodes, unknown_operators)
        drop_constant_outputs(net, draft.constant)
        nodes = [_as_written(draft, op) for op in operators]
        return graph_of(net, nodes, draft.alias, count_parameters(net), str(path))
    except WorkloadError as error:
        if error.where is None:
            error.where = file.where
        raise


def _as_written(draft: Draft, op: FileOperator) -> Node:
    """An operator of the file by its tensors, to tell which of the graph stands for it."""
    read, made = ([t for t in draft.names(group) if t] for group in (op.inputs, op.outputs))
    return Node(op.name, op.kind, MODELLED, read, made, {}, NodeProto(input=read, output=made))


def _names(file: File, positions: Sequence[int]) -> list[str]:
    if min(positions, default=0) < 0:
        raise file.error("the file is damaged: an input or output of the network is left out")
    return [file.tensors[i].name for i in positions]


def _live(file: File) -> list[FileOperator]:
    """The operators that the outputs depend on, in the file's order, which is that of execution."""
    if not file.operators or not file.outputs:
        raise file.error("the network is empty: it has no operators, or no outputs")
    wanted = set(file.outputs)
    kept = []
    for op in reversed(file.operators):
        if not wanted.isdisjoint(op.outputs):
            kept.append(op)
            wanted.update(op.inputs)
    return kept[::-1]


def _add(draft: Draft, op: FileOperator) -> None:
    """Adds what ``op`` becomes: nodes, a view, or only constants."""
    outputs = [draft.name(i) for i in op.outputs if i >= 0]
    if not outputs:
        raise draft.file.error(f"operator {op.name!r} has no output")
    _check_types(draft, op)
    read = [t for t in draft.names(op.inputs) if t]
    try:
        if op.kind in _SHAPE_OF or (read and all(t in draft.constant for t in read)):
            _constant(draft, op, outputs)
        elif is_view(op, draft):
            draft.view(outputs[0], draft.net.values[outputs[0]].shape, draft.name(op.inputs[0]))
        else:
            _nodes(draft, op, outputs)
    except DAMAGED as problem:
        raise draft.file.error(
            f"operator {op.name!r} cannot be understood: its options or tensors do not fit"
            f" ({type(problem).__name__}: {problem})"
        ) from None


def _check_types(draft: Draft, op: FileOperator) -> None:
    for tensor in (draft.file.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0):
        if tensor.elem_type not in DTYPES:
            raise draft.file.error(
                f"operator {op.name!r} has tensor {tensor.name!r} of data type {tensor.type_name},"
                " which hetsim cannot size"
            )


def _constant(draft: Draft, op: FileOperator, outputs: Sequence[str]) -> None:
    """Results that no input decides; some still are their input's elements, as that is stored."""
    for output in outputs:
        draft.net.values[output].constant = True
        draft.constant.add(output)
    if op.kind in _SAME_ELEMENTS:
        source, value = draft.net.values[draft.name(op.inputs[0])], draft.net.values[outputs[0]]
        value.root = source.root or source.name
        value.stored = source.stored or (source.dtype if op.kind == "DEQUANTIZE" else "")


def _nodes(draft: Draft, op: FileOperator, outputs: list[str]) -> None:
    made, domain = translate(op, draft), MODELLED
    if made is None:
        made = Made((op.kind,), draft.names(op.inputs))
        domain = "custom" if op.custom else "TFLite"
    links: list[tuple[str, Mapping[str, object]]] = [
        (kind, {} if i else made.attributes) for i, kind in enumerate(made.kinds)
    ]
    code = getattr(op.options, "FusedActivationFunction", int)()
    if code and not made.whole:
        links.append(FUSED[draft.constant_of("ActivationFunctionType", code)])
    inputs = list(made.inputs)
    result = draft.net.values[outputs[0]]
    for position, (kind, attributes) in enumerate(links):
        name = op.name if position == 0 else f"{op.name}/{kind}"
        last = position == len(links) - 1
        written = outputs if last else [f"{outputs[0]} of {name}"]
        if not last:
            draft.net.values[written[0]] = Value(written[0], result.shape, result.elem_type)
        draft.net.nodes.append(
            Node(name, kind, domain, inputs, written, dict(attributes), _NOTHING)
        )
        inputs = [written[0]]
