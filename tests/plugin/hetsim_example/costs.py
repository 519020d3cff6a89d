"""A cost model and its source: some units pool for nothing; all else is others' business."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from hetsim.cost.chain import CostModel
from hetsim.cost.source import CostSource
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph


class FreePooling(CostModel):
    """Takes the bytes of pooling from the model ``behind`` it, and leaves its arithmetic."""

    def __init__(self, behind: CostModel, clusters: Collection[str]) -> None:
        self.behind = behind
        self.clusters = clusters

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        if not kernel.head.kind.endswith("Pool") or pu.cluster not in self.clusters:
            return None
        work = self.behind.work(graph, kernel, pu, residency)
        if work is None:
            return None
        phase = replace(
            work.phases[0],
            load_bytes=work.load_bytes,
            store_bytes=work.store_bytes,
            seconds=(work.load_bytes + work.store_bytes) / pu.bandwidth,
            compute_s=0.0,
        )
        return replace(work, compute_s=0.0, phases=(phase,), tiles=(), source="free pooling")

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        mine = graph.operators[op].kind.endswith("Pool") and pu.cluster in self.clusters
        return 0.0 if mine else None


class FreePoolingSource(CostSource):
    """Units with ``costs: {free_pooling: FILE}``; the file says why, for whoever reads the SoC."""

    order = 150

    def model(self, soc: SoC, files: Mapping[str, Path], behind: CostModel) -> CostModel:
        return FreePooling(behind, frozenset(files))
