"""Units that compute straight from memory: a kernel is one phase.

That is a flow of all its bytes whose rate cap is bytes / compute time, so alone it takes the longer
of arithmetic and transfer, and beside others what the simulator finds.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from hetsim.cost.analytical.traffic import total_bytes, weight_bytes
from hetsim.cost.pu import PUModel
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph, Operator

SpecT = TypeVar("SpecT", bound=PUSpec)


class StreamedModel(PUModel[SpecT]):
    """Arithmetic in cycles, operator by operator; every byte once."""

    @property
    @abstractmethod
    def cycles_per_s(self) -> float:
        """How many of its cycles pass in a second."""

    @abstractmethod
    def cycles(self, op: Operator) -> float:
        """Cycles of arithmetic of ``op``, alone or in a fused kernel."""

    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        counted = kernel.operators[:1] if self.spec.fused_tails_hide else kernel.operators
        compute = sum(self.cycles(op) for op in counted) / self.cycles_per_s
        weights = weight_bytes(kernel, self.pu)
        reads = (t for t in kernel.inputs if t not in residency.inputs)
        writes = (t for t in kernel.outputs if t not in residency.outputs)
        load = total_bytes(graph, reads, self.pu) + weights
        phase = Phase("run", compute, load, total_bytes(graph, writes, self.pu), compute)
        return Work(
            self.spec.dispatch,
            compute,
            (phase,),
            weight_bytes=weights,
            on_chip_bytes=residency.reserved_bytes,
        )

    def floor(self, op: Operator) -> float:
        return self.cycles(op) / self.cycles_per_s
