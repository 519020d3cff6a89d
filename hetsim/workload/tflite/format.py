"""TFLite as one of the formats of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hetsim.workload.formats import ModelFormat, SizeNames
from hetsim.workload.graph import Graph


class TFLiteFormat(ModelFormat):
    """FlatBuffers of TensorFlow Lite and LiteRT, identifier ``TFL3``."""

    title = "TFLite"
    suffixes = (".tflite", ".lite")

    def recognises(self, head: bytes) -> bool:
        return head[4:8] == b"TFL3"

    def load(self, path: Path, **options: Any) -> Graph:
        from hetsim.workload.tflite.loader import load_tflite

        return load_tflite(path, **options)

    def inputs(self, path: Path) -> Sequence[str]:
        from hetsim.workload.tflite.file import read_file

        file = read_file(path)
        return [file.tensors[i].name for i in file.inputs]

    def size_names(self, path: Path) -> SizeNames:
        from hetsim.workload.tflite.batch import BATCH, open_inputs
        from hetsim.workload.tflite.file import read_file

        dims = [BATCH] if open_inputs(read_file(path)) else []
        return SizeNames(frozenset(self.inputs(path)), frozenset(dims))
