"""CPU clusters and accelerators: arithmetic at a share of the peak, bytes over the path.

Williams, Waterman & Patterson, "Roofline" (CACM 52(4), 2009): the larger of the two times, except
that here the simulator finds the second one, because bandwidth is shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TypeVar

from hetsim.cost.analytical.convolution import VectorUnits, convolution_cycles
from hetsim.cost.analytical.streamed import Peak, StreamedModel
from hetsim.cost.analytical.weights import most_speedup, sparse_name, speedup, unpack_cycles
from hetsim.forms.convolution import winograd_saving
from hetsim.workload.graph import DTYPE_BYTES, LoopNest, Operator

SpecT = TypeVar("SpecT", bound=VectorUnits)


class RooflineModel(StreamedModel[SpecT]):
    """Work at the efficiency stated for each kind of operator."""

    calibration = "hetsim.calibrate.convolution:ConvolutionTarget"

    def least(self, nest: LoopNest, dtype: str) -> float:
        rate = self.spec.macs_per_cycle.get(self.pu.stored_dtype(dtype))
        peak = (rate or 0.0) * self.cores * self.top_clock * most_speedup(self.spec)
        return fewest_products(nest) / peak if peak else 0.0

    def peak(self, op: Operator) -> Peak:
        """What is Winograd's to save is counted: a peak that it may pass would be none."""
        dtype = self.pu.stored_dtype(op.dtype)
        clock = self.cores * float(self.spec.point.clock)
        if not op.macs:
            rate = element_rate(self.spec.element_ops_per_cycle, dtype)
            return Peak(op.element_ops, rate * clock, dtype)
        rate, shape = self.spec.macs_per_cycle.get(dtype, inf), self.spec.convolution
        faster = speedup(op, self.spec)
        if op.kind == "Conv" and op.nest is not None and shape is not None and shape.winograd:
            saved = fewest_products(op.nest, shape.winograd.tile) / op.macs
            if saved * faster < 1.0:
                return Peak(op.macs, rate / saved * clock, f"{dtype} Winograd")
        return Peak(op.macs, rate * faster * clock, sparse_name(dtype, op, faster))

    @property
    def cores(self) -> int:
        """How many cores state their rates."""
        return 1

    def cycles(self, op: Operator) -> float:
        """Of one core."""
        spec, dtype = self.spec, self.pu.stored_dtype(op.dtype)
        share = efficiency(spec.efficiency, op)
        cycles = op.element_ops / (element_rate(spec.element_ops_per_cycle, dtype) * share)
        if op.kind == "Conv" and op.nest is not None and spec.convolution is not None:
            cycles += convolution_cycles(op.nest, spec, dtype, speedup(op, spec))
        elif op.macs:
            cycles += op.macs / (spec.macs_per_cycle[dtype] * share * speedup(op, spec))
        return cycles + unpack_cycles(op, self.pu, spec)


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
