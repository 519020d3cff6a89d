"""A format of networks: fully connected layers, as the widths between them: ``784 128 10``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hetsim.errors import Location, WorkloadError
from hetsim.infiles import read_text
from hetsim.workload.formats import ModelFormat
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor


class LayersFormat(ModelFormat):
    """Text files that end in ``.layers``."""

    title = "Layers"
    suffixes = (".layers",)

    def load(self, path: Path, **options: Any) -> Graph:
        words = read_text(path, error=WorkloadError).split()
        if len(words) < 2 or not all(word.isdecimal() and int(word) for word in words):
            raise WorkloadError("expected two or more widths", where=Location(str(path)))
        widths = [int(word) for word in words]
        tensors = [Tensor(f"t{i}", (1, width)) for i, width in enumerate(widths)]
        operators = [
            Operator(
                f"dense{i}", "Gemm", (f"t{i}",), (f"t{i + 1}",),
                weights=(("float32", read * made),), macs=read * made,
                nest=LoopNest(1, 1, 1, 1, read, made),
            )
            for i, (read, made) in enumerate(pairwise(widths))
        ]  # fmt: skip
        name = options.get("name") or path.stem
        outputs = [tensors[-1].name]
        return Graph.create(name, operators, tensors, ["t0"], outputs, source=str(path))

    def inputs(self, path: Path) -> Sequence[str]:
        return self.load(path).inputs
