"""ONNX file to operator graph.

The steps, each a module of its own: :mod:`.read`, :mod:`.order`, :mod:`.controlflow`, shapes and
constants (:mod:`.infer`), other names for operators (:mod:`.plain`), :mod:`.slices`, :mod:`.views`,
:mod:`.quantised`, :mod:`.chains`, :mod:`.fold`, and what it all costs
(:mod:`hetsim.workload.costing`). Every step is linear in the number of nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from hetsim.errors import Location, WorkloadError
from hetsim.workload.costing import DATA_DEPENDENT, PLAIN, RULES, Call, Cost, Rule
from hetsim.workload.graph import Graph, Operator, Tensor
from hetsim.workload.onnx.absorbed import standing
from hetsim.workload.onnx.batch import check_batch
from hetsim.workload.onnx.chains import recognise_chains
from hetsim.workload.onnx.controlflow import resolve_control_flow
from hetsim.workload.onnx.fold import fold_affine
from hetsim.workload.onnx.infer import infer
from hetsim.workload.onnx.ir import (
    DTYPES,
    MODELLED_DOMAINS,
    Net,
    Node,
    Value,
    element_type_name,
    nearest,
)
from hetsim.workload.onnx.order import constant_tensors, live_nodes, sort_nodes
from hetsim.workload.onnx.plain import REWRITES, make_plain
from hetsim.workload.onnx.quantised import fold_quantised, plain_kinds
from hetsim.workload.onnx.read import inline_functions, parse, read_model
from hetsim.workload.onnx.slices import join_gathers
from hetsim.workload.onnx.views import remove_views
from hetsim.workload.onnx.zeros import sparsity_of
from hetsim.workload.sizes import Sizes

if TYPE_CHECKING:
    from onnx import ModelProto

UnknownOperators = Literal["error", "bandwidth_bound"]

_UNKNOWN = Rule(lambda _: Cost())
_MALFORMED = (
    ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError
)  # fmt: skip
MOST_NAMED = 4
"""Tensors that a hint spells out; for more it names their operators' kinds."""
_NOT_PARAMETERS = frozenset({"int64", "uint64", "bool"})
"""Constants of these types are indices, shapes and masks, which nobody publishes as parameters."""


def load_onnx(
    source_model: str | Path | ModelProto,
    *,
    name: str | None = None,
    input_shapes: Mapping[str, Sequence[int]] | None = None,
    dims: Mapping[str, int] | None = None,
    max_output: Mapping[str, int | Sequence[int]] | None = None,
    fold_batch_norm: bool = True,
    unknown_operators: UnknownOperators = "error",
    source: str = "",
) -> Graph:
    """Loads a network from an ONNX file or model.

    ``name`` defaults to the graph's name, else the file's. ``dims`` binds the open
    dimensions of inputs by name, ``input_shapes`` gives whole shapes, and ``max_output`` says how
    much operators make at most whose data decide it (see :class:`~hetsim.workload.sizes.Sizes`).
    ``fold_batch_norm`` merges BatchNormalization, and constant
    per-channel Mul/Add, into the Conv, ConvTranspose or Gemm before it. ``unknown_operators``
    decides about kinds nobody models: ``bandwidth_bound`` costs them as moving their bytes
    and says so in ``Graph.notes``. ``source`` is kept for reports.

    Raises:
        WorkloadError: the file, a shape or an operator cannot be understood; names the file.
    """
    from onnx import ModelProto

    folder: Path | None = None
    if isinstance(source_model, ModelProto):
        label = source or name or source_model.graph.name or "model"
        model, where = source_model, Location(str(label))
    else:
        model, where = read_model(source_model), Location(str(source_model))
        folder = Path(source_model).parent
        name = name or Path(source_model).stem
    try:
        model = inline_functions(model, where)
        sizes = Sizes.of(input_shapes, dims, max_output)
        net = parse(model, name=name, where=where, sizes=sizes, folder=folder)
        graph = _build(net, fold_batch_norm, unknown_operators, source or where.file)
        if net.batch_opened:
            check_batch(net, model.graph.output)
        return graph
    except WorkloadError as error:
        if error.where is None:  # raised where the file is not known
            error.where = where
        raise


def _build(net: Net, fold: bool, unknown_operators: UnknownOperators, source: str) -> Graph:
    sort_nodes(net)
    resolve_control_flow(net)
    constant = constant_tensors(net)
    running = live_nodes(net, constant, through_constants=False)
    check_kinds(net, running, unknown_operators)
    live = live_nodes(net, constant, through_constants=True)
    infer(net, live, {t for node in live for t in node.inputs}.union(net.outputs))
    _check_stated(net)
    net.nodes = running
    make_plain(net)
    join_gathers(net)
    plain_kinds(net)
    drop_constant_outputs(net, constant)
    alias = remove_views(net)
    fold_quantised(net, alias)
    parameters = count_parameters(net)
    _unify(net)
    recognise_chains(net, alias)
    if fold:
        fold_affine(net)
    return graph_of(net, live, alias, parameters, source)


def graph_of(
    net: Net, file: Iterable[Node], alias: Mapping[str, str], parameters: int, source: str
) -> Graph:
    """The graph of a net whose nodes are in order and without views, each costed by its rule.

    ``file`` are the file's own nodes; ``alias`` names the tensor underneath each view that nodes
    still read by its own name.

    Raises:
        WorkloadError: a tensor of unknown type, a node that its rule does not understand.
    """
    operators, tensors = _operators(net, alias)
    sparse = Counter(operator.sparsity for operator in operators if operator.sparsity)
    net.notes += [f"{name} sparse weights in {count} products" for name, count in sparse.items()]
    inputs = _used_inputs(net, operators)
    read = sum(operator.weight_elements for operator in operators)
    return Graph.create(
        net.name,
        operators,
        tensors.values(),
        inputs,
        net.outputs,
        parameters=parameters,
        notes=net.notes,
        source=source,
        absorbed=standing(net, file),
        unread=max(count_parameters(net) - read, 0),
    )


def _check_stated(net: Net) -> None:
    """Nothing that the user states is ignored."""
    idle = [name for name in net.max_output if name not in net.stated]
    if idle:
        names = [t for node in net.nodes for t in (node.name, *node.outputs) if t]
        raise net.error(
            f"max_output: {idle[0]!r} is no operator or tensor whose size is open",
            hint=nearest(idle[0], names) or "name a tensor as the messages about it do",
        )


def _unify(net: Net) -> None:
    """One name for one thing: exporters write the sum of two tensors as Sum or as Add.

    What a unit supports and fuses is stated by kind, and must not depend on the exporter.
    """
    for node in net.nodes:
        if node.kind == "Sum" and len(node.inputs) == 2 and not node.domain:
            node.kind = "Add"


def check_kinds(net: Net, nodes: Sequence[Node], unknown_operators: UnknownOperators) -> None:
    """Refuses, or notes, kinds that no rule counts and kinds whose results only data shapes."""
    if unknown_operators not in get_args(UnknownOperators):
        hint = "allowed: 'error', 'bandwidth_bound'"
        raise net.error(f"unknown_operators is {unknown_operators!r}", hint=hint)
    kinds = Counter(_label(node) for node in nodes)
    open_nodes = [
        node for node in nodes
        if _label(node) in DATA_DEPENDENT
        and not any(key in net.max_output for key in (node.name, node.kind, *node.outputs))
    ]  # fmt: skip
    unpredictable = sorted({_label(node) for node in open_nodes})
    known = RULES.keys() | PLAIN.keys() | REWRITES.keys()
    unknown = sorted(kind for kind in kinds if kind not in known)
    problems = []
    if unpredictable:
        listed = ", ".join(f"{kind} ({kinds[kind]})" for kind in unpredictable)
        problems.append(f"the data decides the shape of what these operators make: {listed}")
    listed = ", ".join(f"{kind} ({kinds[kind]})" for kind in unknown)
    if unknown and unknown_operators == "error":
        problems.append(f"nobody models these operators: {listed}")
    if problems:
        hints = []
        if unpredictable:
            tensors = [next(t for t in node.outputs if t) for node in open_nodes]
            keys = tensors if len(tensors) <= MOST_NAMED else unpredictable
            entries = ", ".join(f"{key}: N" for key in keys)
            hints.append(
                "say how many results they have at most, in the scenario's entry of the model"
                f" max_output: {{{entries}}}, or --max-output {keys[0]}=N; or cut the"
                " network before them (post-processing usually runs elsewhere)"
            )
        if unknown and unknown_operators == "error":
            close = [nearest(kind, RULES) for kind in unknown]
            hints.extend(dict.fromkeys(text for text in close if text))
            hints.append(
                "or cost them by their bytes, with the scenario's field"
                " unknown_operators: bandwidth_bound"
            )
        raise net.error("; ".join(problems), hint="; ".join(hints))
    if unknown:
        net.notes.append(f"costed as moving their bytes only, kind unknown: {listed}")


def drop_constant_outputs(net: Net, constant: set[str]) -> None:
    """Leaves out outputs that nobody computes."""
    dropouts = {t for n in net.nodes if n.kind == "Dropout" for t in n.outputs[1:] if t}
    fixed = [t for t in net.outputs if t in constant]
    masks = [t for t in net.outputs if t in dropouts]
    if fixed:
        net.notes.append(f"outputs that are constants are left out: {', '.join(fixed)}")
    if masks:
        net.notes.append(f"outputs that are dropout masks are left out: {', '.join(masks)}")
    net.outputs = [t for t in net.outputs if t not in constant and t not in dropouts]


def _label(node: Node) -> str:
    """The kind by which rules are found; a vendor's own operators keep their domain."""
    return node.kind if node.domain in MODELLED_DOMAINS else f"{node.domain}.{node.kind}"


def _rule(node: Node) -> Rule:
    return RULES.get(_label(node), _UNKNOWN)


def count_parameters(net: Net) -> int:
    """Elements of the distinct constants that operators compute with, trained ones only."""
    found: dict[str, int] = {}
    for node in net.nodes:
        known = _rule(node)
        for position, tensor in enumerate(node.inputs):
            if not tensor or position in known.control or position in known.statistics:
                continue
            value = net.values[tensor]
            if not value.constant or value.elem_type not in DTYPES:
                continue
            if value.dtype not in _NOT_PARAMETERS:
                found[value.root or value.name] = value.elements
    return sum(found.values())


def _operators(net: Net, alias: Mapping[str, str]) -> tuple[list[Operator], dict[str, Tensor]]:
    wanted = set(net.outputs)
    wanted.update(alias.get(t, t) for node in net.nodes for t in node.inputs if t)
    tensors = {t: _tensor(net.values[t]) for t in net.inputs}
    operators = []
    for node in net.nodes:
        outputs = [t for t in node.outputs if t in wanted]
        operators.append(_operator(net, node, alias, outputs))
        tensors.update((t, _tensor(net.values[t])) for t in outputs)
    return operators, tensors


def _tensor(value: Value) -> Tensor:
    return Tensor(value.name, value.shape, value.dtype)


def _operator(net: Net, node: Node, alias: Mapping[str, str], outputs: list[str]) -> Operator:
    values = tuple(net.values[t] if t else None for t in node.inputs)
    results = tuple(net.values[t] if t else None for t in node.outputs)
    known = _rule(node)
    for value in values:
        if value is not None and value.elem_type not in DTYPES:
            raise net.error(
                f"operator {node.name!r} ({node.kind}) reads {value.name!r} of data type"
                f" {element_type_name(value.elem_type)}, which hetsim cannot size"
            )
    call = Call(node.name, node.kind, node.attributes, values, results)
    cost = _cost(net, known, call)
    weights: Counter[str] = Counter()
    inputs: dict[str, None] = {}
    for position, value in enumerate(values):
        if value is None or (position in known.control and value.constant):
            continue
        if value.constant:
            weights[value.stored or value.dtype] += cost.reads.get(position, value.elements)
        else:
            inputs[alias.get(value.name, value.name)] = None
    typed = results if known.typed_by == "output" else values + results
    return Operator(
        node.name,
        node.kind,
        tuple(inputs),
        tuple(outputs),
        weights=tuple(weights.items()),
        macs=cost.macs,
        element_ops=cost.element_ops,
        nest=cost.nest,
        attributes=dict(node.attributes),
        variant=cost.variant,
        dtype=next(value.dtype for value in typed if value is not None),
        sparsity=sparsity_of(call) if cost.nest is not None else "",
    )


def _cost(net: Net, known: Rule, call: Call) -> Cost:
    """The count of a rule, which may take for granted what a well-formed file has."""
    try:
        return known.cost(call)
    except _MALFORMED as e:
        shapes = ", ".join("-" if v is None else str(list(v.shape)) for v in call.inputs)
        raise net.error(
            f"operator {call.name!r} ({call.kind}) cannot be understood: its attributes do not fit"
            f" its inputs {shapes} ({type(e).__name__}: {e})"
        ) from e


def _used_inputs(net: Net, operators: Iterable[Operator]) -> list[str]:
    used = {t for operator in operators for t in operator.inputs} | set(net.outputs)
    idle = [t for t in net.inputs if t not in used]
    if idle:
        net.notes.append(f"inputs that nothing reads are left out: {', '.join(idle)}")
    return [t for t in net.inputs if t in used]
