"""The analytical cost model: one function per PU kind."""

from __future__ import annotations

from collections.abc import Callable

from hetsim.cost.analytical import npu, roofline
from hetsim.cost.base import CostModel
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph

KindModel = Callable[[Graph, Kernel, PU, Residency], Work]

_MODELS: dict[str, KindModel] = {
    "cpu_cluster": roofline.cpu_work,
    "accelerator": roofline.accelerator_work,
    "npu": npu.npu_work,
}


def register(kind: str, model: KindModel) -> None:
    """Makes ``model`` the analytical model of PUs of ``kind`` (for PU kinds from outside)."""
    _MODELS[kind] = model


class AnalyticalModel(CostModel):
    """Knows every kernel that a PU supports."""

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        reason = why_not(pu, kernel)
        if reason is not None:
            raise InfeasibleError(f"{kernel.name} cannot run: {reason}")
        try:
            model = _MODELS[pu.kind]
        except KeyError:
            raise InfeasibleError(f"no analytical model is registered for {pu.kind!r}") from None
        return model(graph, kernel, pu, residency)
