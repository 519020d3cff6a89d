"""Units that compute straight from memory: a kernel is one phase.

That is a flow of all its bytes whose rate cap is bytes / compute time, so alone it takes the longer
of arithmetic and transfer, and beside others what the simulator finds.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from hetsim.cost.analytical.traffic import total_bytes, weight_bytes
from hetsim.cost.pu import PUModel, Roof
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph, Operator

SpecT = TypeVar("SpecT", bound=PUSpec)


@dataclass(frozen=True, slots=True)
class Peak:
    """The products of an operator, or its other operations if it has none, and the most a second.

    ``name`` is the data type, or the trick that makes them so many.
    """

    operations: int
    per_second: float
    name: str


class StreamedModel(PUModel[SpecT]):
    """Arithmetic in cycles, operator by operator; every byte once."""

    @property
    @abstractmethod
    def cycles_per_s(self) -> float:
        """How many of its cycles pass in a second."""

    @abstractmethod
    def cycles(self, op: Operator) -> float:
        """Cycles of arithmetic of ``op``, alone or in a fused kernel."""

    @abstractmethod
    def peak(self, op: Operator) -> Peak:
        """The rate of ``op`` that no shape, share or efficiency lets the whole unit pass."""

    def roof(self, kernel: Kernel) -> Roof:
        """That of its products, or of its element-wise operations if it has none."""
        counted = kernel.operators[:1] if self.spec.fused_tails_hide else kernel.operators
        products = [op for op in counted if op.macs]
        peaks = [self.peak(op) for op in products or counted]
        what = "MAC" if products else "element operations"
        name = ", ".join(dict.fromkeys(f"{peak.name} {what}" for peak in peaks))
        operations = sum(peak.operations for peak in peaks)
        seconds = sum(peak.operations / peak.per_second for peak in peaks)
        return Roof(operations, operations / seconds if seconds else inf, name)

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
