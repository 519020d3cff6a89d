"""TFLite as one of the formats of networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hetsim.workload.formats import ModelFormat
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
