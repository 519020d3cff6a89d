"""ONNX as one of the formats of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hetsim.workload.formats import ModelFormat
from hetsim.workload.graph import Graph


class OnnxFormat(ModelFormat):
    """Protobuf files of ONNX, which have no magic bytes: the suffix tells."""

    title = "ONNX"
    suffixes = (".onnx",)

    def load(self, path: Path, **options: Any) -> Graph:
        from hetsim.workload.onnx.loader import load_onnx

        return load_onnx(path, **options)

    def inputs(self, path: Path) -> Sequence[str]:
        from hetsim.workload.onnx.read import read_model

        graph = read_model(path).graph
        constants = {tensor.name for tensor in graph.initializer}
        return [info.name for info in graph.input if info.name not in constants]
