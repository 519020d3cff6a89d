"""OpenVINO: execution graphs (``-exec_graph_path``) and counters of ``benchmark_app`` (``-pc``).

An execution graph is XML with a time for each layer that ran, the network's operators that the
layer stands for (``originalLayersNames``), and its shapes. Counters are CSV (``;``) or JSON, an
average or one block a request, and name no fused operators: one that did not run counts as part of
the layer that makes its input.

Layers are found by names, then, in execution graphs, by kind and shape where as many layers as
operators are left. Reorders between layouts are no operators; what they took is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.readers.base import Findings, Request, one_device
from hetsim.cost.measured.readers.openvino_files import Layer, layers_of
from hetsim.cost.measured.readers.ort import half_quartiles
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.workload.graph import Graph, Operator

KINDS: Mapping[str, frozenset[str]] = {
    "Convolution": frozenset({"Conv"}), "GroupConvolution": frozenset({"Conv"}),
    "Deconvolution": frozenset({"ConvTranspose"}),
    "FullyConnected": frozenset({"Gemm", "MatMul"}), "MatMul": frozenset({"Gemm", "MatMul"}),
    "Pooling": frozenset({"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}),
    "MaxPool": frozenset({"MaxPool"}), "AvgPool": frozenset({"AveragePool", "GlobalAveragePool"}),
    "Reduce": frozenset({"GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceSum"}),
    "Concatenation": frozenset({"Concat"}), "Softmax": frozenset({"Softmax"}),
    "Transpose": frozenset({"Transpose"}), "Interpolate": frozenset({"Resize", "Upsample"}),
}  # fmt: skip
"""ONNX's kinds that a layer of this type can stand for, where names do not tell."""

_DTYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "i8": "int8", "u8": "uint8"}
_HALF_STEP_S = 0.5e-6
"""Half of the microsecond in which layers are timed."""
_SUFFIXES = ("/WithoutBiases",)
"""What OpenVINO puts behind the name of an operator that it takes apart."""


def read(request: Request) -> list[ProfileTable]:
    """Reads execution graphs and counters: one table, of the unit that the user names.

    Raises:
        ConfigError: no network given, a unit given, no such file, another network's.
    """
    request.need_graphs("a profile of OpenVINO")
    request.refuse_unit("a profile of OpenVINO")
    findings = Findings()
    entries: list[Entry] = []
    for path in request.files:
        where = Location(str(path))
        entries += _entries(layers_of(read_text(path), where), request.graphs, findings, where)
    return one_device(
        entries, request, findings, tool="openvino", what="OpenVINO profile",
        left="real time of layers; CPU times and counts of the runs are not in use",
    )  # fmt: skip


def _found(graph: Graph, name: str) -> Operator | None:
    """The operator a layer names; unnamed nodes of ONNX are called by what they make."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    if name in graph.index:
        return graph.operator(name)
    position = graph.producer.get(name)
    return None if position is None else graph.operators[position]


def _named(graph: Graph, layer: Layer) -> list[Operator]:
    names = layer.originals or (layer.name,)
    return list(dict.fromkeys(op for n in names if (op := _found(graph, n)) is not None))


def _entries(
    layers: Sequence[Layer], graphs: Sequence[Graph], findings: Findings, where: Location
) -> list[Entry]:
    ran = [layer for layer in layers if layer.seconds]
    graph = max(graphs, key=lambda g: sum(1 for layer in ran if _named(g, layer)))
    groups = {id(layer): _named(graph, layer) for layer in ran}
    _add_heads(graph, ran, groups)
    guessed = _by_shape(graph, ran, groups)
    _add_idle(graph, layers, ran, groups)
    _check_shapes(graph, ran, groups, where)
    entries, tiny, left, other = [], [], [], defaultdict[str, list[str]](list)
    for layer in ran:
        ops = sorted(groups[id(layer)], key=lambda op: graph.index[op.name])
        seconds = mean(layer.seconds)
        if not ops:
            left.append(f"{layer.name} ({layer.kind}, {seconds * 1e6:.0f} us)")
            continue
        if seconds == 0.0:
            tiny.append(layer.name)
        dtype = _DTYPES.get(layer.precision, layer.precision)
        if dtype and dtype != ops[0].dtype:
            other[f"{dtype}, the network says {ops[0].dtype}"].append(ops[0].name)
        seen = tuple(f"{graph.name}:{op.name}" for op in ops)
        place = Location(where.file, layer.line) if layer.line else where
        entries.append(
            Entry(group_key(graph, ops), seconds or _HALF_STEP_S, half_quartiles(layer.seconds),
                  len(layer.seconds), seen, place)
        )  # fmt: skip
    if not entries:
        raise ConfigError(
            f"none of its {len(ran)} layers is an operator of {graph.name}",
            where=where,
            hint="give the network that was measured with --model",
        )
    findings.several("by kind and shape", "layers have other names than the network's operators and"
                     " were found by kind and shape", guessed, where)  # fmt: skip
    findings.several("unknown nodes", f"layers are no operators of {graph.name} (reorders between"
                     " layouts, or renamed)", left, where)  # fmt: skip
    findings.several("below the clock", "layers took less than the clock's microsecond; 0.5 us is"
                     " used", tiny, where)  # fmt: skip
    for what, names in other.items():
        findings.several("precision", f"layers computed in {what}", names, where)
    return entries


def _fits(layer: Layer, op: Operator) -> bool:
    return op.kind in KINDS.get(layer.kind, frozenset())


def _taken(groups: Mapping[int, list[Operator]]) -> set[str]:
    return {op.name for ops in groups.values() for op in ops}


def _add_heads(graph: Graph, ran: Sequence[Layer], groups: dict[int, list[Operator]]) -> None:
    """A convolution that absorbed its normalisation is renamed, the activation behind it is not."""
    taken = _taken(groups)
    for layer in ran:
        ops = groups[id(layer)]
        if not ops or any(_fits(layer, op) for op in ops) or layer.kind not in KINDS:
            continue
        first = min(ops, key=lambda op: graph.index[op.name])
        for position in graph.predecessors[graph.index[first.name]]:
            before = graph.operators[position]
            if _fits(layer, before) and before.name not in taken:
                ops.append(before)
                taken.add(before.name)
                break


def _by_shape(graph: Graph, ran: Sequence[Layer], groups: dict[int, list[Operator]]) -> list[str]:
    """Pairs layers and operators of one kind and shape that are left, when they are as many."""
    taken = _taken(groups)
    told = []
    waiting: dict[tuple[str, tuple[int, ...]], list[Layer]] = defaultdict(list)
    for layer in ran:
        if not groups[id(layer)] and layer.kind in KINDS and layer.shape is not None:
            waiting[layer.kind, layer.shape].append(layer)
    for (_, shape), alike in waiting.items():
        fitting = [
            op for op in graph.operators
            if op.name not in taken and _fits(alike[0], op) and op.outputs
            and graph.tensors[op.outputs[0]].shape == shape
        ]  # fmt: skip
        if len(fitting) == len(alike):
            for layer, op in zip(alike, fitting, strict=True):
                groups[id(layer)] = [op]
                taken.add(op.name)
                told.append(f"{layer.name} as {op.name}")
    return told


def _add_idle(
    graph: Graph, layers: Sequence[Layer], ran: Sequence[Layer], groups: dict[int, list[Operator]]
) -> None:
    """Operators that did not run as layers of their own ran inside the one before them."""
    if any(layer.originals for layer in layers):  # an execution graph says so itself
        return
    home = {op.name: id(layer) for layer in ran for op in groups[id(layer)]}
    idle = {op.name for layer in layers if not layer.seconds for op in _named(graph, layer)}
    for position, op in enumerate(graph.operators):
        before = graph.predecessors[position]
        if op.name in idle and op.name not in home and len(before) == 1:
            place = home.get(graph.operators[before[0]].name)
            if place is not None:
                groups[place].append(op)
                home[op.name] = place


def _check_shapes(
    graph: Graph, ran: Sequence[Layer], groups: Mapping[int, list[Operator]], where: Location
) -> None:
    other = []
    for layer in ran:
        ops = groups[id(layer)]
        if layer.shape is None or not ops:
            continue
        elements = 1
        for dim in layer.shape:
            elements *= dim
        last = max(ops, key=lambda op: graph.index[op.name])
        if last.outputs and graph.tensors[last.outputs[0]].elements != elements:
            wanted = list(graph.tensors[last.outputs[0]].shape)
            other.append(f"{last.name} made {list(layer.shape)}, the network says {wanted}")
    if other:
        raise ConfigError(
            f"{len(other)} operators have other shapes than in {graph.name}:"
            f" {'; '.join(other[:3])}",
            where=where,
            hint="give the network that was measured, with its input shapes",
        )
