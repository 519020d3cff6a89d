"""A kind of processing unit: lanes that all do the same, and a network's weights in their ROM."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hetsim.cost.analytical.traffic import total_bytes
from hetsim.cost.pu import PUModel
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.fields import Count
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph, Operator


class LanesModel(PUModel["LanesSpec"]):
    """One operation per lane and cycle; only activations move."""

    def floor(self, op: Operator) -> float:
        return (op.macs + op.element_ops) / (self.spec.lanes * self.spec.point.clock)

    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        compute = sum(self.floor(op) for op in kernel.operators)
        reads = total_bytes(graph, kernel.inputs, self.pu)
        writes = total_bytes(graph, kernel.outputs, self.pu)
        phase = Phase("run", compute, reads, writes, compute)
        return Work(self.spec.dispatch, compute, (phase,))


class LanesSpec(PUSpec):
    """Lanes in lockstep, with weights in ROM."""

    kind: Literal["lanes"]
    model: ClassVar[str] = "hetsim_example.kind:LanesModel"
    lanes: Count = Field(description="operations per cycle")

    @property
    def multipliers(self) -> float:
        return float(self.lanes)
