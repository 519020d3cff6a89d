"""The analytical cost model: every kernel, by the model that the kind of its PU names."""

from __future__ import annotations

from dataclasses import replace

from hetsim.cost.chain import CostModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.pu import model_of
from hetsim.cost.reach import Reach
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph


class AnalyticalModel(CostModel):
    """Knows every kernel that a PU supports."""

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        reason = why_not(pu, kernel)
        if reason is not None:
            raise InfeasibleError(f"{kernel.name} cannot run: {reason}")
        work = model_of(pu).work(graph, kernel, residency)
        return replace(work, clock_hz=float(pu.spec.point.clock))

    def quickest(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, reach: Reach
    ) -> float | None:
        return model_of(pu).quickest(graph, kernel, residency, reach)

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        operator = graph.operators[op]
        tails = any(operator.kind in chain[1:] for chain in pu.spec.fuse_patterns)
        kernel = Kernel.of(graph, (operator,))
        if why_not(pu, kernel) is None:
            # A possible tail may run inside another kernel, without a dispatch of its own.
            arithmetic = model_of(pu).floor(operator)
            if tails:
                return 0.0 if pu.spec.fused_tails_hide else arithmetic
            return arithmetic + pu.spec.dispatch
        if tails and operator.kind not in pu.spec.exclude:
            return 0.0
        return INFEASIBLE
