"""CPU clusters and accelerators: arithmetic at a share of the peak, bytes over the path.

Williams, Waterman & Patterson, "Roofline" (CACM 52(4), 2009): the larger of the two times, except
that here the simulator finds the second one, because bandwidth is shared. A kernel is one phase:
a flow of all its bytes whose rate cap is bytes / compute time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import inf
from typing import TypeVar

from hetsim.cost.analytical.convolution import VectorUnits, convolution_cycles
from hetsim.cost.analytical.traffic import total_bytes, weight_bytes
from hetsim.cost.pu import PUModel, Roof
from hetsim.cost.work import Kernel, Phase, Residency, Work
from hetsim.forms.convolution import winograd_saving
from hetsim.workload.graph import DTYPE_BYTES, Graph, LoopNest, Operator

SpecT = TypeVar("SpecT", bound=VectorUnits)


class RooflineModel(PUModel[SpecT]):
    """Work at the efficiency stated for each kind of operator."""

    calibration = "hetsim.calibrate.convolution:ConvolutionTarget"

    @property
    @abstractmethod
    def cycles_per_s(self) -> float:
        """Core cycles per second of the whole unit."""

    def work(self, graph: Graph, kernel: Kernel, residency: Residency) -> Work:
        counted = kernel.operators[:1] if self.spec.fused_tails_hide else kernel.operators
        compute = sum(self._cycles(op) for op in counted) / self.cycles_per_s
        weights = weight_bytes(kernel, self.pu)
        reads = (t for t in kernel.inputs if t not in residency.inputs)
        writes = (t for t in kernel.outputs if t not in residency.outputs)
        load = total_bytes(graph, reads, self.pu) + weights
        phase = Phase("run", compute, load, total_bytes(graph, writes, self.pu), compute)
        return Work(self.spec.dispatch, compute, (phase,), weight_bytes=weights)

    def floor(self, op: Operator) -> float:
        return self._cycles(op) / self.cycles_per_s

    def least(self, nest: LoopNest, dtype: str) -> float:
        rate = self.spec.macs_per_cycle.get(self.pu.stored_dtype(dtype))
        return fewest_products(nest) / (rate * self.cores * self.top_clock) if rate else 0.0

    def roof(self, kernel: Kernel) -> Roof:
        """That of its products, or of its element-wise operations if it has none.

        What is Winograd's to save is counted: a peak that it may pass would be none.
        """
        counted = kernel.operators[:1] if self.spec.fused_tails_hide else kernel.operators
        products = [op for op in counted if op.macs]
        what = "MAC" if products else "element operations"
        names: dict[str, None] = {}
        operations, cycles = 0, 0.0
        for op in products or counted:
            amount, rate, name = self._peak(op)
            operations += amount
            cycles += amount / rate
            names[f"{name} {what}"] = None
        if not cycles:
            return Roof(operations, name=", ".join(names))
        return Roof(operations, operations / cycles * self.cycles_per_s, ", ".join(names))

    def _peak(self, op: Operator) -> tuple[int, float, str]:
        """What ``op`` counts, the most of it in a cycle, and in which data type or by which trick.

        Of products if it has some.
        """
        dtype = self.pu.stored_dtype(op.dtype)
        if not op.macs:
            return op.element_ops, element_rate(self.spec.element_ops_per_cycle, dtype), dtype
        rate, shape = self.spec.macs_per_cycle.get(dtype, inf), self.spec.convolution
        if op.kind == "Conv" and op.nest is not None and shape is not None and shape.winograd:
            saved = fewest_products(op.nest, shape.winograd.tile) / op.macs
            if saved < 1.0:
                return op.macs, rate / saved, f"{dtype} Winograd"
        return op.macs, rate, dtype

    @property
    def cores(self) -> int:
        """How many cores state their rates."""
        return 1

    def _cycles(self, op: Operator) -> float:
        """Cycles of one core for ``op``."""
        spec, dtype = self.spec, self.pu.stored_dtype(op.dtype)
        share = efficiency(spec.efficiency, op)
        cycles = op.element_ops / (element_rate(spec.element_ops_per_cycle, dtype) * share)
        if op.kind == "Conv" and op.nest is not None and spec.convolution is not None:
            cycles += convolution_cycles(op.nest, spec, dtype)
        elif op.macs:
            cycles += op.macs / (spec.macs_per_cycle[dtype] * share)
        return cycles


def fewest_products(nest: LoopNest, tile: int = 4) -> float:
    """Products that software needs: of a dense stride-1 3x3 convolution F(4x4, 3x3)'s quarter.

    Winograd's transform is a choice of the library, so a description need not speak of it.
    """
    dense = nest.groups == nest.stride_h == nest.stride_w == 1
    taps = (nest.k_h, nest.k_w, nest.dilation_h, nest.dilation_w)
    return nest.macs * (winograd_saving(tile) if dense and taps == (3, 3, 1, 1) else 1.0)


def efficiency(table: Mapping[str, float], op: Operator) -> float:
    """The entry for the operator's variant, else its kind, else ``default``."""
    for key in op.kind_path:
        if key in table:
            return table[key]
    return table["default"]


def element_rate(table: Mapping[str, float], dtype: str) -> float:
    """Element operations per cycle; a type not listed runs like a listed one of equal width.

    Failing that, like the slowest listed one.
    """
    if dtype in table:
        return table[dtype]
    width = DTYPE_BYTES[dtype]
    same = [rate for name, rate in table.items() if DTYPE_BYTES[name] == width]
    return min(same or table.values())
