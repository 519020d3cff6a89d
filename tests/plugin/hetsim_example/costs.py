"""A cost model: pooling is free of arithmetic, and everything else is somebody else's business."""

from __future__ import annotations

from dataclasses import replace

from hetsim.cost.chain import CostModel
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph


class FreePooling(CostModel):
    """Takes the bytes of pooling from the model ``behind`` it, and leaves its arithmetic."""

    def __init__(self, behind: CostModel) -> None:
        self.behind = behind

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        if not kernel.head.kind.endswith("Pool"):
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
        return 0.0 if graph.operators[op].kind.endswith("Pool") else None
