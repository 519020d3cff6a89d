"""The analytical cost model: one function per PU kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hetsim.cost.analytical import npu, roofline
from hetsim.cost.chain import CostModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph, Operator

WorkFunction = Callable[[Graph, Kernel, PU, Residency], Work]
FloorFunction = Callable[[Operator, PU], float]

_MODELS: dict[str, tuple[WorkFunction, FloorFunction]] = {
    "cpu_cluster": (roofline.cpu_work, roofline.cpu_floor),
    "accelerator": (roofline.accelerator_work, roofline.accelerator_floor),
    "npu": (npu.npu_work, npu.npu_floor),
}


def register(kind: str, work: WorkFunction, floor: FloorFunction) -> None:
    """Makes these the analytical model of PUs of ``kind`` (for PU kinds from outside).

    ``floor(operator, pu)`` is the arithmetic time in seconds that no tiling or fusion avoids.
    """
    _MODELS[kind] = (work, floor)


class AnalyticalModel(CostModel):
    """Knows every kernel that a PU supports."""

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        reason = why_not(pu, kernel)
        if reason is not None:
            raise InfeasibleError(f"{kernel.name} cannot run: {reason}")
        try:
            model, _ = _MODELS[pu.kind]
        except KeyError:
            raise InfeasibleError(f"no analytical model is registered for {pu.kind!r}") from None
        return replace(model(graph, kernel, pu, residency), clock_hz=float(pu.spec.point.clock))

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        operator = graph.operators[op]
        tails = any(operator.kind in chain[1:] for chain in pu.spec.fuse_patterns)
        kernel = Kernel.of(graph, (operator,))
        if why_not(pu, kernel) is None:
            # A possible tail may run inside another kernel, without a dispatch of its own.
            arithmetic = _MODELS[pu.kind][1](operator, pu)
            if tails:
                return 0.0 if pu.spec.fused_tails_hide else arithmetic
            return arithmetic + pu.spec.dispatch
        if tails and operator.kind not in pu.spec.exclude:
            return 0.0
        return INFEASIBLE
