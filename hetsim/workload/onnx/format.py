"""ONNX as one of the formats of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.errors import WorkloadError
from hetsim.workload.formats import ModelFormat, SizeNames
from hetsim.workload.graph import Graph
from hetsim.workload.sizes import Sizes

if TYPE_CHECKING:
    from onnx import ModelProto


class OnnxFormat(ModelFormat):
    """Protobuf files of ONNX, which have no magic bytes: the suffix tells."""

    title = "ONNX"
    suffixes = (".onnx",)

    def load(self, path: Path, **options: Any) -> Graph:
        from hetsim.workload.onnx.loader import load_onnx

        return load_onnx(path, **options)

    def problems(self, path: Path, sizes: Sizes) -> Sequence[WorkloadError]:
        from hetsim.workload.onnx.problems import structural_problems

        return structural_problems(path, sizes)

    def inputs(self, path: Path) -> Sequence[str]:
        from hetsim.workload.onnx.read import read_model

        graph = read_model(path).graph
        constants = {tensor.name for tensor in graph.initializer}
        return [info.name for info in graph.input if info.name not in constants]

    def size_names(self, path: Path) -> SizeNames:
        from hetsim.workload.onnx.read import read_model

        return names_in(read_model(path))


def names_in(model: ModelProto) -> SizeNames:
    """What a user may state sizes of in an ONNX model."""
    from hetsim.workload.onnx.inputs import open_names

    graph = model.graph
    made = {t for node in graph.node for t in (node.name, node.op_type, *node.output) if t}
    made |= {f"{node.op_type}_{i}" for i, node in enumerate(graph.node) if not node.name}
    inputs = frozenset(info.name for info in graph.input)
    return SizeNames(inputs, frozenset(open_names(model)), frozenset(made))
