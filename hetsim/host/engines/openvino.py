"""OpenVINO's CPU plug-in.

Its execution graph tells for every kernel the operators that it came from
(``originalLayersNames``); what it puts in between (reorders) is shared out over the kernels like
everything else that the whole run takes. Computed in float32, one stream, on threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import MissingExtraError, WorkloadError
from hetsim.host.engines.base import Engine, How, Probe, Runner
from hetsim.host.network import Network
from hetsim.host.ran import Match
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from onnx import ModelProto


class OpenVino(Engine):
    """The CPU plug-in, latency first."""

    name = "openvino"
    own_threads = True

    @property
    def label(self) -> str:
        return f"OpenVINO {_openvino().__version__.partition('-')[0]}"

    def runner(self, model: ModelProto, how: How) -> Runner:
        request = _compiled(model, how).create_infer_request()
        names = [output.name for output in model.graph.output]

        def run(feeds: Mapping[str, Any]) -> Mapping[str, Any]:
            request.infer(dict(feeds))
            return {name: request.get_tensor(name).data for name in names}

        return run

    def piece(
        self,
        model: ModelProto,
        how: How,
        inputs: Sequence[str],
        outputs: Sequence[str],
        values: Mapping[str, Any],
    ) -> Callable[[], object]:
        tensor: Any = _openvino().Tensor
        request = _compiled(model, how).create_infer_request()
        for name in (*inputs, *outputs):
            request.set_tensor(name, tensor(values[name], shared_memory=True))

        def run() -> None:
            request.start_async()
            request.wait()

        return run

    def probe(self, network: Network, how: How, folder: Path) -> Probe:
        return _Probe(network, how)


class _Probe(Probe):
    """Two compiled models, one of which counts."""

    level = "the CPU plug-in's own"

    def __init__(self, network: Network, how: How) -> None:
        self._feeds = dict(network.feeds)
        self._plain = _compiled(network.model, how).create_infer_request()
        counting = _compiled(network.model, how, PERF_COUNT="YES")
        self._watched = counting.create_infer_request()
        self.matches = matched_layers(network.graph, _layers(counting))
        self._times: list[dict[str, float]] = []

    def plain(self) -> None:
        self._plain.infer(self._feeds)

    def watched(self) -> None:
        self._watched.infer(self._feeds)
        self._times.append(
            {info.node_name: info.real_time.total_seconds()
             for info in self._watched.get_profiling_info()}
        )  # fmt: skip

    def finish(self) -> Mapping[str, Sequence[float]]:
        runs = self._times[1:]
        names = dict.fromkeys(name for run in runs for name in run)
        return {name: [run.get(name, 0.0) for run in runs] for name in names}


@dataclass(frozen=True, slots=True)
class Layer:
    """A kernel of the execution graph: its name, type, and the names it came from."""

    name: str
    kind: str
    origins: tuple[str, ...]


def matched_layers(graph: Graph, layers: Sequence[Layer]) -> list[Match]:
    """Groups of operators and kernels, in the graph's order.

    By the names that a kernel came from; kernels that share an operator are one group. Folding
    takes the names of some products: a kernel of a product that names only what follows it is of
    the latest product before that, and where as many products as kernels are left, they are paired
    in order.
    Kernels of no operator are in no group.
    """
    groups = _Groups(graph)
    nameless, headless = [], []
    for layer in layers:
        own = {_operator(graph, name) for name in layer.origins} - {""}
        if own:
            groups.add(set(own), [layer.name])
            if layer.kind in PRODUCTS and not any(graph.operator(name).macs for name in own):
                headless.append(own)
        elif layer.origins and layer.kind in PRODUCTS:
            nameless.append(layer)
    for own in headless:
        before = {p for name in own for p in graph.predecessors[graph.index[name]]}
        products = [
            p
            for p in before
            if graph.operators[p].macs and graph.operators[p].name not in groups.of
        ]
        if products:
            groups.add({graph.operators[max(products)].name, *own}, [])
    for product, kinds in PRODUCTS.items():
        kernels = [layer for layer in nameless if layer.kind == product]
        left = [op for op in graph.operators if op.kind in kinds and op.name not in groups.of]
        if len(kernels) == len(left):
            for layer, op in zip(kernels, left, strict=True):
                groups.add({op.name}, [layer.name])
    return groups.matches()


def _operator(graph: Graph, origin: str) -> str:
    """The operator of a name: its own, of a node that it stands for, or of what it makes."""
    if origin in graph.index:
        return origin
    if origin in graph.absorbed:
        return graph.absorbed[origin]
    position = graph.producer.get(origin)
    return "" if position is None else graph.operators[position].name


PRODUCTS = {
    "Convolution": ("Conv",),
    "Deconvolution": ("ConvTranspose",),
    "FullyConnected": ("Gemm", "MatMul"),
    "MatMul": ("Gemm", "MatMul"),
}
"""Operator kinds by the types of their kernels."""


class _Groups:
    """Operators and kernels, joined where they overlap."""

    def __init__(self, graph: Graph) -> None:
        self._index = graph.index
        self.of: dict[str, int] = {}
        self._groups: list[tuple[set[str], list[str]]] = []

    def add(self, operators: set[str], kernels: list[str]) -> None:
        for other in sorted({self.of[name] for name in operators if name in self.of}):
            operators |= self._groups[other][0]
            kernels = self._groups[other][1] + kernels
            self._groups[other] = (set(), [])
        self.of.update(dict.fromkeys(operators, len(self._groups)))
        self._groups.append((operators, kernels))

    def matches(self) -> list[Match]:
        found = [
            Match(tuple(sorted(operators, key=self._index.__getitem__)), tuple(kernels))
            for operators, kernels in self._groups
            if operators
        ]
        return sorted(found, key=lambda match: self._index[match.operators[0]])


def _layers(compiled: Any) -> list[Layer]:
    """The kernels in order; constants are none."""
    layers = []
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = {key: str(getattr(value, "value", value)) for key, value in node.rt_info.items()}
        kind = info.get("layerType", "")
        if kind not in ("Const", "Input", "Output"):
            origins = tuple(filter(None, info.get("originalLayersNames", "").split(",")))
            layers.append(Layer(node.get_friendly_name(), kind, origins))
    return layers


def _openvino() -> Any:
    try:
        import openvino
    except ImportError:
        raise MissingExtraError.for_extra("openvino", "openvino", "measuring") from None
    return openvino


@cache
def _core() -> Any:
    """One for the process: what it made must not outlive it."""
    return _openvino().Core()


def _compiled(model: ModelProto, how: How, **more: str) -> Any:
    core = _core()
    options = {
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(how.threads),
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": "NO",
        **more,
    }
    try:
        return core.compile_model(core.read_model(model.SerializeToString()), "CPU", options)
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise WorkloadError(
            f"OpenVINO cannot run {how.name}: {text[-300:]}",
            hint="measure with ONNX Runtime, or without this network",
        ) from error
